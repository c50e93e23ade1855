/** What stands in the place of a secret. */
const REDACTED = "***";

/** The parameters of SPDK's methods, nested ones included, that hold a secret rather than the name of a key. */
const SECRET = /^(?:m?secret|key2?|psk|(?:\w+_)?password|config_param)$/;

/**
 * A copy of a call's parameters that is fit for logs: CHAP secrets, encryption keys and passwords are masked
 * (`iscsi_create_auth_group`, `accel_crypto_key_create`, `bdev_rbd_register_cluster`, …).
 */
export function redactParams(params: unknown): unknown {
  if (Array.isArray(params)) return params.map(redactParams);
  if (typeof params !== "object" || params === null) return params;
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      SECRET.test(name) && value !== undefined ? REDACTED : redactParams(value),
    ]),
  );
}
