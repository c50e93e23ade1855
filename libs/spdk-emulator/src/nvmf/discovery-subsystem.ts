import { Subsystem } from "./subsystem.ts";

/** The subsystem that every target begins with. */
export function createDiscoverySubsystem(): Subsystem {
  const options = {
    nqn: "nqn.2014-08.org.nvmexpress.discovery",
    subtype: "Discovery",
    serialNumber: "00000000000000000000",
    modelNumber: "SPDK Discovery",
    maxNamespaces: 0,
    minCntlid: 1,
    maxCntlid: 65519,
    anaReporting: false,
    adminLabel: undefined,
  } as const;
  return new Subsystem(options, true);
}
