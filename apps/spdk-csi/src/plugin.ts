/** The driver's name in Kubernetes, the same as upstream's. */
export const DEFAULT_DRIVER_NAME = "csi.spdk.io";

/** The version that GetPluginInfo reports; a test holds it equal to package.json's. */
export const DRIVER_VERSION = "0.1.0";

/** The key in volume_context that marks a clone or restore, which is never formatted. */
export const CONTENT_SOURCE = "contentSource";
