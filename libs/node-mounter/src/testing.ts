export {
  type FakeContent,
  type FakeDevice,
  type FakeEvent,
  type FakeFault,
  type FakeFilesystem,
  FakeHost,
  fakeHost,
} from "./testing/fake-host.ts";
