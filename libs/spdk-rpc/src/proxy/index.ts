export type { ProxyCredentials } from "./authenticate.ts";
export { type Proxy, type ProxyOptions, type ProxyTlsOptions, startProxy } from "./proxy.ts";
