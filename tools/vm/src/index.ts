export {
  type MachineOptions,
  prepareVirtualMachines,
  quote,
  startVirtualMachine,
  type VirtualMachine,
} from "./virtual-machine.ts";
