//! Limits the files that a thread, and those that it starts, can open.

use super::Confinement;
use landlock::{
    ABI, Access, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};
use std::path::PathBuf;

/// Has all that is limited here; older kernels limit less of it.
const LANDLOCK: ABI = ABI::V6;
/// What the server reads of any host: the kernel's files, the host's id and name of its system, random bytes, and what the C
/// library finds addresses of other hosts with.
const OF_THE_HOST: [&str; 15] = [
    "/proc",
    "/sys",
    "/etc/machine-id",
    "/var/lib/dbus/machine-id",
    "/etc/os-release",
    "/dev/urandom",
    "/etc/resolv.conf",
    "/run/systemd/resolve",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/ld.so.cache",
    "/lib",
    "/usr/lib",
];

pub(super) fn restrict(confinement: &Confinement) {
    match try_restrict(confinement) {
        Ok(RulesetStatus::FullyEnforced) => tracing::debug!("confined to the server's own files"),
        Ok(RulesetStatus::PartiallyEnforced) => {
            tracing::info!("this kernel confines the server to its files only in part: Linux 6.12 does in full");
        }
        Ok(RulesetStatus::NotEnforced) => {
            tracing::warn!("this kernel can't confine the server to its files: it needs Linux 5.13 with landlock");
        }
        Err(error) => tracing::warn!(%error, "cannot confine the server to its files"),
    }
}

fn try_restrict(confinement: &Confinement) -> Result<RulesetStatus, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = AccessFs::from_all(LANDLOCK)
        & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .scope(Scope::Signal)?
        .create()?
        .add_rules(path_beneath_rules(OF_THE_HOST, read))?
        .add_rules(rules(&confinement.readable, read))?
        .add_rules(rules(&confinement.writable, write))?
        .add_rules(rules(&confinement.with_sockets, AccessFs::MakeSock | AccessFs::RemoveFile))?
        .restrict_self()?;
    Ok(status.ruleset)
}

/// Folders that are missing are skipped: the server reports them where it needs them.
fn rules(
    folders: &[PathBuf],
    access: BitFlags<AccessFs>,
) -> impl Iterator<Item = Result<PathBeneath<PathFd>, RulesetError>> {
    path_beneath_rules(folders, access)
}
