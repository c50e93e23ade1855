/** What a storage array that outlives its drivers has. */
export interface Lun {
  readonly id: string;
  readonly bytes: bigint;
  readonly label: string;
  readonly isFormatted: boolean;
  readonly hosts: readonly string[];
}

/** A storage array. Each method has its effect at once and as a whole. */
export class LunArray {
  readonly #luns = new Map<string, Lun>();
  #made = 0;

  /** All that it has, as a test sees it. */
  get luns(): readonly Lun[] {
    return [...this.#luns.values()];
  }

  async list(): Promise<readonly Lun[]> {
    return this.luns;
  }

  async create(bytes: bigint, label = ""): Promise<string> {
    this.#made += 1;
    const id = `lun-${this.#made}`;
    this.#luns.set(id, { id, bytes, label, isFormatted: false, hosts: [] });
    return id;
  }

  async format(id: string): Promise<void> {
    this.#change(id, { isFormatted: true });
  }

  async setLabel(id: string, label: string): Promise<void> {
    this.#change(id, { label });
  }

  /** As SCSI arrays do, it takes a host that it has already for an error. */
  async addHost(id: string, host: string): Promise<void> {
    const { hosts } = this.#get(id);
    if (hosts.includes(host)) throw new Error(`${id} has the host ${host} already`);
    this.#change(id, { hosts: [...hosts, host] });
  }

  async removeHost(id: string, host: string): Promise<void> {
    this.#change(id, { hosts: this.#get(id).hosts.filter((each) => each !== host) });
  }

  async delete(id: string): Promise<void> {
    this.#get(id);
    this.#luns.delete(id);
  }

  #get(id: string): Lun {
    const lun = this.#luns.get(id);
    if (lun === undefined) throw new Error(`there is no ${id}`);
    return lun;
  }

  #change(id: string, change: Partial<Lun>): void {
    this.#luns.set(id, { ...this.#get(id), ...change });
  }
}
