import { run } from "./child.ts";
import { layFirstScreen } from "./first-screen.ts";
import { createProject } from "./fresh-project.ts";
import { installKit } from "./kit.ts";
import { startRegistry } from "./local-registry.ts";
import type { Proofs } from "./proofs.ts";
import { proveCommands } from "./prove-commands.ts";
import { proveCreate } from "./prove-create.ts";
import { proveOn } from "./prove-on.ts";
import { proveTypes } from "./prove-types.ts";
import { publish } from "./publish.ts";
import { findPublishable } from "./publishable.ts";
import { layReadmeDriver } from "./readme-driver.ts";
import { becomeStranger } from "./stranger.ts";
import type { Workplace } from "./workplace.ts";

/** From a build to a stranger's first program, one step after the other. */
export async function proveAll(proofs: Proofs, workplace: Workplace): Promise<void> {
  const { root, env, signal, undo } = workplace;
  const packages = await proofs.need("build", async () => {
    await run("npm", ["run", "build"], { cwd: root, env, signal });
    const value = findPublishable(root);
    return { value, proven: value.map(({ name, version }) => `${name} ${version}`).join(", ") };
  });
  const scope = packages[0]?.name.split("/")[0] ?? "";
  const { kit, registry } = await proofs.need("registry", async () => {
    const kit = await installKit(workplace);
    const registry = await startRegistry(kit, scope, workplace);
    undo.add(() => registry.stop());
    return { value: { kit, registry }, proven: `verdaccio on ${registry.url}, empty` };
  });
  const stranger = await becomeStranger(workplace, registry.url);
  for (const each of packages) {
    await proofs.need(`publish ${each.name.slice(scope.length + 1)}`, () => publish(each, stranger, workplace));
  }
  const project = await proofs.need("npm install", () => createProject(packages, stranger, workplace));

  const firstScreen = await layFirstScreen(proofs, `${scope}/spdk-rpc`, project);
  await layReadmeDriver(`${scope}/csi-framework`, project);
  await proveTypes(proofs, kit, project);
  await proveCommands(proofs, project);
  await proveCreate(proofs, scope, stranger, workplace);
  for (const node of kit.nodes) await proveOn(proofs, node, project, firstScreen);
}
