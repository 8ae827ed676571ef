//! What a control group is, by its path alone: systemd, Docker, Podman, Kubernetes and LXC each name theirs in a way of their
//! own.

/// Digits of a container's id that are shown, as `docker ps` has it.
const ID: usize = 12;
/// What containers' scopes begin with, and what they are called here.
const SCOPES: [(&str, &str); 5] = [
    ("docker-", "docker"),
    ("libpod-", "podman"),
    ("cri-containerd-", "container"),
    ("crio-", "container"),
    ("buildkit-", "buildkit"),
];
/// Folders of containers, and what they are called here.
const FOLDERS: [(&str, &str); 3] = [("docker", "docker"), ("libpod_parent", "podman"), ("lxc", "lxc")];

/// The name of the service, container or user that has the group at `path`; `None` where that is only a folder for others.
pub(super) fn name(path: &str) -> Option<String> {
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
    let (last, parent) = (parts.next()?, parts.next().unwrap_or_default());
    if let Some(user) = last.strip_prefix("user-").and_then(|rest| rest.strip_suffix(".slice")) {
        return Some(format!("user {user}"));
    }
    if let Some(service) = last.strip_suffix(".service") {
        return Some(unescape(service));
    }
    if let Some(scope) = last.strip_suffix(".scope") {
        let container = SCOPES.iter().find_map(|(prefix, kind)| Some((kind, scope.strip_prefix(prefix)?)));
        return Some(match container {
            Some((kind, id)) => format!("{kind} {}", short(id)),
            None => unescape(scope.strip_prefix("machine-").unwrap_or(scope)),
        });
    }
    if let Some(container) = last.strip_prefix("lxc.payload.") {
        return Some(format!("lxc {container}"));
    }
    if let Some((_, kind)) = FOLDERS.iter().find(|(folder, _)| *folder == parent) {
        return Some(format!("{kind} {}", short(last)));
    }
    (path.starts_with("/kubepods") && is_id(last)).then(|| format!("container {}", short(last)))
}

/// The path of a group that follows nobody's custom.
pub(super) fn plain(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).map(short).collect::<Vec<_>>().join("/")
}

/// Whether what stands in a control group's folder is one of its own files rather than another group.
pub(super) fn is_file(name: &str) -> bool {
    const FILES: [&str; 16] = [
        "blkio.", "cgroup.", "cpu.", "cpuacct.", "cpuset.", "devices.", "dmem.", "freezer.", "hugetlb.", "io.", "irq.",
        "memory.", "misc.", "net_cls.", "pids.", "rdma.",
    ];
    const OTHERS: [&str; 3] = ["notify_on_release", "release_agent", "tasks"];
    FILES.iter().any(|prefix| name.starts_with(prefix)) || OTHERS.contains(&name)
}

fn is_id(name: &str) -> bool {
    name.len() > ID && name.chars().all(|c| c.is_ascii_hexdigit())
}

fn short(id: &str) -> &str {
    if is_id(id) { &id[..ID] } else { id }
}

/// A dash in a unit's name is `\x2d`, and so on (systemd.unit(5)).
fn unescape(name: &str) -> String {
    let mut parts = name.split("\\x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..2).map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) if byte.is_ascii_graphic() || byte == b' ' => {
                plain.push(char::from(byte));
                plain.push_str(&part[2..]);
            }
            _ => plain = plain + "\\x" + part,
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn services_and_containers_are_known_by_their_paths() {
        let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for (path, expected) in [
            ("/system.slice/nginx.service", "nginx"),
            ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1"),
            ("/init.scope", "init"),
            ("/user.slice/user-1000.slice", "user 1000"),
            (&format!("/system.slice/docker-{id}.scope"), "docker 0123456789ab"),
            (&format!("/docker/{id}"), "docker 0123456789ab"),
            (&format!("/machine.slice/libpod-{id}.scope"), "podman 0123456789ab"),
            (
                &format!("/kubepods.slice/kubepods-besteffort.slice/pod1.slice/cri-containerd-{id}.scope"),
                "container 0123456789ab",
            ),
            (&format!("/kubepods/burstable/pod0b2a-1/{id}"), "container 0123456789ab"),
            ("/lxc.payload.web", "lxc web"),
            ("/lxc/web", "lxc web"),
            ("/machine.slice/machine-qemu\\x2d1\\x2dweb.scope", "qemu-1-web"),
            ("/system.slice/dev-disk\\x2.service", "dev-disk\\x2"),
        ] {
            assert_eq!(name(path).as_deref(), Some(expected), "{path}");
        }
        for path in
            ["", "/", "/system.slice", "/user.slice", "/docker", "/kubepods/burstable", "/kubepods.slice/pod1.slice"]
        {
            assert_eq!(name(path), None, "{path}");
        }
        assert_eq!(plain(&format!("/jobs/{id}")), "jobs/0123456789ab");
    }

    #[test]
    fn files_are_no_groups() {
        for file in ["cgroup.procs", "memory.pressure", "cpu.stat", "tasks", "cpuacct.usage"] {
            assert!(is_file(file), "{file}");
        }
        for group in ["system.slice", "docker", "init.scope", "memoryhog.service", "cpu-burner"] {
            assert!(!is_file(group), "{group}");
        }
    }

    proptest! {
        #[test]
        fn no_name_breaks_it(path in "/.*", scope in ".*") {
            let _ = name(&path);
            let _ = name(&format!("/{scope}.scope"));
            let _ = name(&format!("/a\\x{scope}.service"));
        }
    }
}
