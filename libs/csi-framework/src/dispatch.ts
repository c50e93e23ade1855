import type { CallContext } from "./call-context.ts";
import {
  controllerCapabilities,
  DERIVED,
  groupControllerCapabilities,
  nodeCapabilities,
  pluginCapabilities,
} from "./capabilities.ts";
import { CsiError } from "./csi-error.ts";
import { CsiDriver, type Drivers } from "./driver.ts";
import { RPCS, type RpcMethod } from "./gen/rpcs.ts";

/** A driver's method: a promise of the answer, or for a server stream its messages. */
export type DriverMethod = (request: object, context: CallContext) => Promise<object> | AsyncIterable<object>;

/** The method that answers `rpc` for the drivers together; undefined when none of them offers it. */
export function findMethod(drivers: Drivers, rpc: RpcMethod): DriverMethod | undefined {
  if (rpc === "probe") return (request, context) => probe(drivers, request, context);
  if (DERIVED.includes(rpc))
    return (
      ownMethod(
        drivers.find((driver) => overrides(driver, rpc)),
        rpc,
      ) ?? derived(drivers, rpc)
    );
  return ownMethod(
    drivers.find((driver) => driver[rpc] !== undefined),
    rpc,
  );
}

/** What a call gets for an RPC that no driver offers. */
export function unimplemented(rpc: RpcMethod): CsiError {
  return new CsiError("UNIMPLEMENTED", `this plugin does not offer ${RPCS[rpc].name}`);
}

function ownMethod(driver: CsiDriver | undefined, rpc: RpcMethod): DriverMethod | undefined {
  const method = driver?.[rpc] as DriverMethod | undefined;
  return method?.bind(driver);
}

function overrides(driver: CsiDriver, rpc: RpcMethod): boolean {
  return driver[rpc] !== CsiDriver.prototype[rpc];
}

/** The derived answers of several drivers are those of one that has all their methods. */
function derived(drivers: Drivers, rpc: RpcMethod): DriverMethod | undefined {
  if (rpc === "getPluginInfo") return ownMethod(drivers[0], rpc);
  if (rpc === "getPluginCapabilities") return async () => ({ capabilities: pluginCapabilities(drivers) });
  if (rpc === "controllerGetCapabilities") return async () => ({ capabilities: controllerCapabilities(drivers) });
  if (rpc === "nodeGetCapabilities") return async () => ({ capabilities: nodeCapabilities(drivers) });
  return async () => ({ capabilities: groupControllerCapabilities(drivers) });
}

/** Ready when all drivers are; one that does not say counts as ready. */
async function probe(drivers: Drivers, request: object, context: CallContext): Promise<object> {
  const answers = await Promise.all(drivers.map(async (driver) => driver.probe?.(request, context)));
  return { ready: answers.every((answer) => answer?.ready !== false) };
}
