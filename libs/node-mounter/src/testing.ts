export {
  type FakeContent,
  type FakeDevice,
  type FakeEvent,
  type FakeFault,
  type FakeFilesystem,
  FakeHost,
  type FakeNvmeTarget,
  fakeHost,
} from "./testing/fake-host.ts";
