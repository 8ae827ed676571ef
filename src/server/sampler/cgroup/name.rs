//! Names of services and containers, from the paths of their control groups: systemd, Docker, Podman, Kubernetes and
//! LXC each have a scheme.

/// Digits shown of a container's id, as by `docker ps`.
const SHORT_ID: usize = 12;
/// Prefixes of containers' scopes, and their displayed kinds.
const SCOPE_PREFIXES: [(&str, &str); 5] = [
    ("docker-", "docker"),
    ("libpod-", "podman"),
    ("cri-containerd-", "container"),
    ("crio-", "container"),
    ("buildkit-", "buildkit"),
];
/// Parent folders of containers' groups, and their displayed kinds.
const PARENT_FOLDERS: [(&str, &str); 3] = [("docker", "docker"), ("libpod_parent", "podman"), ("lxc", "lxc")];

/// Name of the service, container or user of the group at `path`; `None` if the group only contains others.
pub(super) fn display_name(path: &str) -> Option<String> {
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
    let (last, parent) = (parts.next()?, parts.next().unwrap_or_default());
    if let Some(user) = user(last) {
        return Some(format!("user {user}"));
    }
    if let Some(service) = last.strip_suffix(".service") {
        return Some(unescape(service));
    }
    if let Some(scope) = last.strip_suffix(".scope") {
        return Some(match scope_container(scope) {
            Some((kind, id)) => format!("{kind} {}", shorten_id(id)),
            None => unescape(scope.strip_prefix("machine-").unwrap_or(scope)),
        });
    }
    if let Some(container) = last.strip_prefix("lxc.payload.") {
        return Some(format!("lxc {container}"));
    }
    if let Some((_, kind)) = PARENT_FOLDERS.iter().find(|(folder, _)| *folder == parent) {
        return Some(format!("{kind} {}", shorten_id(last)));
    }
    (path.starts_with("/kubepods") && is_id(last)).then(|| format!("container {}", shorten_id(last)))
}

/// Whether the group at `path` is a user's slice, in which systemd and rootless containers of that user have groups.
pub(super) fn is_user(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|last| user(last).is_some())
}

/// Name of the container of the group at `path`; `None` for any other group, such as a container's monitor (conmon).
pub(super) fn container_name(path: &str) -> Option<String> {
    let last = path.rsplit('/').next()?;
    let is_service = last.ends_with(".service") || user(last).is_some();
    let is_other_scope =
        last.strip_suffix(".scope").is_some_and(|scope| !scope_container(scope).is_some_and(|c| is_id(c.1)));
    if is_service || is_other_scope { None } else { display_name(path) }
}

/// Id of the user whose slice a group is.
fn user(name: &str) -> Option<&str> {
    let id = name.strip_prefix("user-")?.strip_suffix(".slice")?;
    id.bytes().all(|byte| byte.is_ascii_digit()).then_some(id)
}

/// Kind and id of the container of a scope.
fn scope_container(scope: &str) -> Option<(&'static str, &str)> {
    SCOPE_PREFIXES.iter().find_map(|(prefix, kind)| Some((*kind, scope.strip_prefix(prefix)?)))
}

/// Name of a group that follows none of the schemes: its path, with container ids shortened.
pub(super) fn path_name(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).map(shorten_id).collect::<Vec<_>>().join("/")
}

/// Whether an entry of a control group's folder is one of its interface files, by its name; the others are groups.
pub(super) fn is_interface_file(name: &str) -> bool {
    const PREFIXES: [&str; 16] = [
        "blkio.", "cgroup.", "cpu.", "cpuacct.", "cpuset.", "devices.", "dmem.", "freezer.", "hugetlb.", "io.", "irq.",
        "memory.", "misc.", "net_cls.", "pids.", "rdma.",
    ];
    const OTHERS: [&str; 3] = ["notify_on_release", "release_agent", "tasks"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || OTHERS.contains(&name)
}

fn is_id(name: &str) -> bool {
    name.len() > SHORT_ID && name.chars().all(|c| c.is_ascii_hexdigit())
}

fn shorten_id(id: &str) -> &str {
    if is_id(id) { &id[..SHORT_ID] } else { id }
}

/// Decodes `\x2d` for a dash in a unit's name, and so on (systemd.unit(5)).
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
    fn paths_of_services_and_containers_yield_names() {
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
            assert_eq!(display_name(path).as_deref(), Some(expected), "{path}");
        }
        for path in
            ["", "/", "/system.slice", "/user.slice", "/docker", "/kubepods/burstable", "/kubepods.slice/pod1.slice"]
        {
            assert_eq!(display_name(path), None, "{path}");
        }
        assert_eq!(path_name(&format!("/jobs/{id}")), "jobs/0123456789ab");
    }

    #[test]
    fn interface_files_are_distinguished_from_groups() {
        for file in ["cgroup.procs", "memory.pressure", "cpu.stat", "tasks", "cpuacct.usage"] {
            assert!(is_interface_file(file), "{file}");
        }
        for group in ["system.slice", "docker", "init.scope", "memoryhog.service", "cpu-burner"] {
            assert!(!is_interface_file(group), "{group}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_paths_do_not_panic(path in "/.*", scope in ".*") {
            let _ = display_name(&path);
            let _ = display_name(&format!("/{scope}.scope"));
            let _ = display_name(&format!("/a\\x{scope}.service"));
        }
    }
}
