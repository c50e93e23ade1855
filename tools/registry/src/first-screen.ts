import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beside, run, serve } from "./child.ts";
import type { Project } from "./fresh-project.ts";
import type { Tool } from "./kit.ts";
import type { Proofs } from "./proofs.ts";
import { emulatorCommand, firstBlock } from "./readme-blocks.ts";

const PROGRAM = "readme.mts";

/** What the first screen of a README says to type. */
export interface FirstScreen {
  readonly emulator: string;
}

/** Lays the first program of a package's README, as it was published, into the project; undefined when it has none. */
export async function layFirstScreen(proofs: Proofs, name: string, { dir }: Project): Promise<FirstScreen | undefined> {
  let emulator: string | undefined;
  await proofs.prove("README", async () => {
    const readme = await readFile(join(dir, "node_modules", name, "README.md"), "utf8");
    const command = emulatorCommand(firstBlock(readme, "sh"));
    await writeFile(join(dir, PROGRAM), firstBlock(readme, "ts"));
    emulator = command;
    return `the first screen of ${name}'s starts an emulator and shows a program`;
  });
  return emulator === undefined ? undefined : { emulator };
}

/** Types what the first screen says; the program must come to a good end. Returns what it prints, on one line. */
export async function typeFirstScreen({ emulator }: FirstScreen, node: Tool, { options }: Project): Promise<string> {
  const short = { ...options, timeoutMs: 60_000 };
  const ready = (output: string): boolean => output.includes("listening on");
  const printed = await beside(serve("sh", ["-c", emulator], { ...short, ready }), () =>
    run(node.path, [PROGRAM], short),
  );
  return printed.trim().replaceAll(/\s+/g, " ");
}
