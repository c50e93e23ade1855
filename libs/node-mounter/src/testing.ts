export {
  type FakeContent,
  type FakeDevice,
  type FakeEvent,
  type FakeFault,
  type FakeFilesystem,
  type FakeChap,
  type FakeIscsiLun,
  type FakeIscsiTarget,
  FakeHost,
  type FakeNvmeTarget,
  type FakeLuks,
  fakeHost,
} from "./testing/fake-host.ts";
