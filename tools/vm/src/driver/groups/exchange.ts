import { same } from "../../guest/shell.ts";
import type { NodeMachine } from "../node-machine.ts";

/** Has two nodes write to the two halves of a device that both have, side by side, and each read the other's; both ways. */
export async function exchange(
  nodes: readonly [NodeMachine, NodeMachine],
  path: string,
  halfMib: number,
): Promise<void> {
  for (const round of [0, 1]) {
    const written = await Promise.all(
      nodes.map(async (node, index) => {
        const half = ((index + round) % 2) * halfMib;
        const write = `dd if=/tmp/half of=${path} bs=1M seek=${half} oflag=direct status=none`;
        await node.sh(`dd if=/dev/urandom of=/tmp/half bs=1M count=${halfMib} status=none && ${write}`);
        return { half, sum: await node.sh("sha256sum < /tmp/half") };
      }),
    );
    await Promise.all(
      nodes.map(async (node, index) => {
        const { half, sum } = written[1 - index] ?? { half: 0, sum: "" };
        const read = `dd if=${path} bs=1M skip=${half} count=${halfMib} iflag=direct status=none`;
        same(`read on ${node.name}`, await node.sh(`${read} | sha256sum`), sum);
      }),
    );
  }
}
