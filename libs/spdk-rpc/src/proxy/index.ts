export type { ProxyCredentials } from "./authenticate.ts";
export { type ProxyOptions, type ProxyTlsOptions, type SpdkProxy, startProxy } from "./proxy.ts";
