export { type CreatedDriver, createDriver } from "./create-driver.ts";
export { checkDriverName } from "./driver-name.ts";
