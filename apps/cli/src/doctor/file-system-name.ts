/** Of `statfs`, Linux. Others do not tell by number. */
const names: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x2fc12fc1: "zfs",
  0xf2f52010: "f2fs",
  0xca451a4e: "bcachefs",
  0x01021994: "tmpfs",
  0x794c7630: "overlayfs",
  0x4d44: "vfat",
  0x2011bab0: "exfat",
  0x5346544e: "ntfs",
  0x6969: "nfs",
  0x517b: "smb",
  0xff534d42: "cifs",
  0xfe534d42: "smb2",
  0x65735546: "fuse",
  0x01021997: "9p",
  0x00c36400: "ceph",
  0x5346414f: "afs",
  0x786f4256: "vboxsf",
};

const overNetwork: ReadonlySet<string> = new Set([
  "nfs",
  "smb",
  "cifs",
  "smb2",
  "9p",
  "ceph",
  "afs",
  "vboxsf",
]);

/** Gone when the machine is started anew. */
const inMemory: ReadonlySet<string> = new Set(["tmpfs"]);

export interface FileSystemKind {
  /** Undefined: not one that is known here. */
  readonly name: string | undefined;
  readonly isRemote: boolean;
  readonly isInMemory: boolean;
}

export function fileSystemKind(type: number): FileSystemKind {
  const name = process.platform === "linux" ? names[type] : undefined;
  return {
    name,
    isRemote: name !== undefined && overNetwork.has(name),
    isInMemory: name !== undefined && inMemory.has(name),
  };
}
