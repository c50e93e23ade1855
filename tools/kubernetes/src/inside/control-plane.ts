import { join } from "node:path";

import { INSIDE, SERVER_ADDRESS } from "../places.ts";
import { ask, CERTIFICATE, CERTIFICATES } from "./api.ts";
import { ETC, type Programs, tell, until } from "./programs.ts";

const ETCD = "http://127.0.0.1:2379";

/** Starts what makes a cluster of nodes; resolves once the API server is ready. */
export async function startControlPlane(programs: Programs): Promise<void> {
  // Nobody misses it after a power cut.
  programs.start("etcd", [
    `--data-dir=${join(INSIDE, "etcd")}`,
    "--unsafe-no-fsync",
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
  ]);
  const key = join(ETC, "service-accounts.key");
  programs.start("kube-apiserver", [
    `--etcd-servers=${ETCD}`,
    // The port of the service "kubernetes", too: there is no kube-proxy to translate it.
    "--secure-port=443",
    `--advertise-address=${SERVER_ADDRESS}`,
    `--cert-dir=${CERTIFICATES}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--token-auth-file=${join(ETC, "tokens.csv")}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--allow-privileged=true",
    "--kubelet-preferred-address-types=InternalIP",
  ]);
  await until("the API server", async () => (await ask("/readyz")) !== undefined);
  tell("the API server is ready");
  programs.start("kube-controller-manager", [
    `--kubeconfig=${join(ETC, "controller-manager.kubeconfig")}`,
    "--use-service-account-credentials",
    `--service-account-private-key-file=${key}`,
    `--root-ca-file=${CERTIFICATE}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    `--cert-dir=${join(ETC, "controller-manager")}`,
  ]);
  programs.start("kube-scheduler", [
    `--kubeconfig=${join(ETC, "scheduler.kubeconfig")}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    `--cert-dir=${join(ETC, "scheduler")}`,
  ]);
}

/** Resolves once the controller manager does its work. */
export async function untilControlled(): Promise<void> {
  const account = "/api/v1/namespaces/default/serviceaccounts/default";
  await until("the controller manager", async () => (await ask(account)) !== undefined);
}
