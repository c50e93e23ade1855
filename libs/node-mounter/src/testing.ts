export { Crash, type CrashingHost, crashingHost, type KillMoment } from "./testing/crashing-host.ts";
export {
  type FakeChap,
  type FakeContent,
  type FakeDevice,
  type FakeEvent,
  type FakeFault,
  type FakeFilesystem,
  FakeHost,
  type FakeIscsiLun,
  type FakeIscsiTarget,
  type FakeLuks,
  type FakeNvmeTarget,
  fakeHost,
} from "./testing/fake-host.ts";
export {
  type ContractCase,
  type ContractVolume,
  type ContractWorld,
  VOLUME_CONTRACT,
} from "./testing/volume-contract.ts";
