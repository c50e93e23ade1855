import { expectTypeOf, test } from "vitest";

import {
  type Answer,
  type CallContext,
  type CreateVolumeRequest,
  type CreateVolumeResponse,
  CsiDriver,
  type DeleteVolumeRequest,
  type ListVolumesRequest,
} from "./index.ts";

const pluginInfo = { name: "types.example.org", vendorVersion: "1.0.0" };

test("a driver that says what it must compiles", () => {
  class Driver extends CsiDriver {
    override readonly pluginInfo = pluginInfo;
    override readonly features = { volumeExpansion: "online", cloneVolume: true } as const;

    override async createVolume({ name, capacityRange }: CreateVolumeRequest, { signal, logger }: CallContext) {
      expectTypeOf(capacityRange?.requiredBytes).toEqualTypeOf<bigint | undefined>();
      signal.throwIfAborted();
      logger.info("made", { name });
      return { volume: { volumeId: name, capacityBytes: 1n } };
    }
    override async deleteVolume() {
      return {};
    }
    override async *getMetadataDelta() {
      yield { blockMetadata: [{ byteOffset: 0n, sizeBytes: 1n }] };
    }
  }
  expectTypeOf<Driver>().toExtend<CsiDriver>();
});

test("an answer is any part of the message, and nothing else", () => {
  expectTypeOf<Promise<{ volume: { volumeId: string } }>>().toExtend<Answer<CreateVolumeResponse>>();
  expectTypeOf<Promise<{ volume: { volumeId: number } }>>().not.toExtend<Answer<CreateVolumeResponse>>();
});

// The compiler's message to each of these names the method: driver-overrides.test.ts sees to it.
test("a wrong override is refused", () => {
  class Base extends CsiDriver {
    override readonly pluginInfo = pluginInfo;
  }
  const refused = [
    class extends Base {
      // @ts-expect-error createVolume: a volume's id is a string
      override async createVolume(_request: CreateVolumeRequest) {
        return { volume: { volumeId: 1 } };
      }
    },
    class extends Base {
      // @ts-expect-error deleteVolume: an answer is a promise
      override deleteVolume(_request: DeleteVolumeRequest) {
        return {};
      }
    },
    class extends Base {
      // @ts-expect-error deleteVolume: an answer is a message, if an empty one
      override async deleteVolume(_request: DeleteVolumeRequest) {}
    },
    class extends Base {
      // @ts-expect-error getMetadataAllocated: the answer is a stream
      override async getMetadataAllocated() {
        return { blockMetadata: [] };
      }
    },
    class extends Base {
      // @ts-expect-error createVolume: the request is another one
      override async createVolume(_request: DeleteVolumeRequest & { readonly volumeName: string }) {
        return {};
      }
    },
    class extends Base {
      // @ts-expect-error listVolumes: there is a request and a context
      override async listVolumes(_request: ListVolumesRequest, _context: CallContext, _more: string) {
        return { entries: [] };
      }
    },
    class extends Base {
      // @ts-expect-error createVolume: there is no creatVolume, and the compiler says which is meant
      override async creatVolume() {
        return {};
      }
    },
    class extends Base {
      // @ts-expect-error features: volumes grow online or offline
      override readonly features = { volumeExpansion: "sometimes" } as const;
    },
    // @ts-expect-error pluginInfo: a driver has a name
    class extends CsiDriver {},
  ];
  expectTypeOf(refused).toExtend<readonly object[]>();
});
