//! Limits the system calls of the process. What a server never needs is refused with an error, rather than all but what it
//! needs: a new C library makes new calls, and a monitor must not end for that.

use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter_all_threads,
};
use std::env::consts::ARCH;

/// Run programs, reach into other processes, change the system, or are a large part of the kernel that a server has no use
/// for.
const REFUSED: [i64; 66] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_personality,
    libc::SYS_vhangup,
    libc::SYS_nfsservctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mbind,
    libc::SYS_set_mempolicy,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_capset,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setgroups,
];
/// A thread needs none of these, and a process in new namespaces has privileges there.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];
const SOCKETS: [i32; 4] = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_UNIX];

pub(super) fn restrict() {
    match try_restrict() {
        Ok(()) => tracing::debug!("confined to the server's own system calls"),
        Err(error) => tracing::warn!(%error, "cannot confine the server's system calls"),
    }
}

fn try_restrict() -> Result<(), Error> {
    let argument = |operator, value: i32| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, operator, u64::from(value.unsigned_abs()))
    };
    let has = |flag: i32| argument(SeccompCmpOp::MaskedEq(u64::from(flag.unsigned_abs())), flag);
    let namespaces = NAMESPACES.into_iter().map(|flag| SeccompRule::new(vec![has(flag)?]));
    let other_sockets = SOCKETS.into_iter().map(|family| argument(SeccompCmpOp::Ne, family));
    let refused = REFUSED.into_iter().map(|call| (call, Vec::new())).chain([
        (libc::SYS_clone, namespaces.collect::<Result<_, _>>()?),
        (libc::SYS_socket, vec![SeccompRule::new(other_sockets.collect::<Result<_, _>>()?)?]),
    ]);
    apply_filter_all_threads(&filter(refused, libc::EPERM)?)?;
    // Its flags can't be read by a filter; without it, the C library uses `clone`.
    apply_filter_all_threads(&filter([(libc::SYS_clone3, Vec::new())], libc::ENOSYS)?)
}

/// Answers the calls with `error`.
fn filter(calls: impl IntoIterator<Item = (i64, Vec<SeccompRule>)>, error: i32) -> Result<BpfProgram, BackendError> {
    let refuse = SeccompAction::Errno(error.unsigned_abs());
    SeccompFilter::new(calls.into_iter().collect(), SeccompAction::Allow, refuse, ARCH.try_into()?)?.try_into()
}
