import type { Check } from "./check.ts";
import { connect, device, disconnect } from "./host.ts";
import { same, sh } from "./shell.ts";
import type { Target } from "./target.ts";

const COUNT = 20;

/** Many volumes of one host. */
export async function manyGroup(target: Target, check: Check): Promise<void> {
  await check(`${COUNT} volumes at once have each its own bytes`, async () => {
    const names = Array.from({ length: COUNT }, (_, index) => `many-${index}`);
    const volumes = await Promise.all(names.map((name) => target.createVolume(name, 64)));
    await Promise.all(volumes.map(({ nqn }) => connect(nqn, target.ports[0])));
    const paths = await Promise.all(volumes.map(({ uuid }) => device(uuid)));
    const write = async (path: string, index: number): Promise<string> => {
      const source = `/tmp/many-${index}`;
      await sh(
        `dd if=/dev/urandom of=${source} bs=1M count=2 status=none; dd if=${source} of=${path} oflag=direct bs=128k`,
      );
      return sh(`sha256sum < ${source}`);
    };
    const sums = await Promise.all(paths.map(write));
    for (const [index, path] of paths.entries())
      same(path, await sh(`dd if=${path} bs=1M count=2 iflag=direct status=none | sha256sum`), sums[index]);
    await Promise.all(volumes.map(({ nqn }) => disconnect(nqn)));
    await Promise.all(volumes.map((volume) => target.remove(volume)));
  });
}
