//! Where the server listens, as flags say it.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

/// One place to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A unix socket at an absolute path.
    Unix(PathBuf),
    /// The sockets that systemd passes to the process (sd_listen_fds(3)).
    Systemd,
}

/// A text that is no listen address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "an address is an IP and a port, such as 127.0.0.1:3000 or [::1]:3000, an absolute path, such as \
     unix:/run/hostbeat/hostbeat.sock, or systemd for inherited sockets"
)]
pub struct InvalidListenAddress;

impl FromStr for ListenAddress {
    type Err = InvalidListenAddress;

    fn from_str(text: &str) -> Result<Self, InvalidListenAddress> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') && !path.ends_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err(InvalidListenAddress),
            None if text == "systemd" => Ok(Self::Systemd),
            None => text.parse().map(Self::Tcp).map_err(|_| InvalidListenAddress),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd => f.write_str("systemd"),
        }
    }
}

/// Who may connect to unix sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixAccess {
    /// Permission bits.
    pub mode: u32,
    /// The owner, unless it is the process' user and group.
    pub owner: Option<UnixOwner>,
}

impl Default for UnixAccess {
    /// The process' user and group.
    fn default() -> Self {
        Self { mode: 0o660, owner: None }
    }
}

/// Ids of a user and of a group; `None` keeps the process' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnixOwner {
    /// The user.
    pub user: Option<u32>,
    /// The group.
    pub group: Option<u32>,
}

/// Parses `660` and `0660`.
pub(super) fn unix_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| "a mode is octal, such as 660 for owner and group".to_owned())
}

/// Parses `user:group`, `user` and `:group`, as chown(1) does.
#[cfg(unix)]
pub(super) fn unix_owner(text: &str) -> Result<UnixOwner, String> {
    use nix::unistd::{Group, User};
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    if user.is_empty() && group.is_empty() {
        return Err("an owner is a user, a group, or both, such as hostbeat:www-data or :www-data".to_owned());
    }
    let id = |name: &str, kind: &str, look_up: fn(&str) -> nix::Result<Option<u32>>| {
        if name.is_empty() {
            return Ok(None);
        }
        let id = name.parse().ok().or_else(|| look_up(name).ok().flatten());
        id.map(Some).ok_or_else(|| format!("this host has no {kind} {name}"))
    };
    Ok(UnixOwner {
        user: id(user, "user", |name| Ok(User::from_name(name)?.map(|user| user.uid.as_raw())))?,
        group: id(group, "group", |name| Ok(Group::from_name(name)?.map(|group| group.gid.as_raw())))?,
    })
}

#[cfg(not(unix))]
pub(super) fn unix_owner(_: &str) -> Result<UnixOwner, String> {
    Err("this system has no unix sockets".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_address_is_a_port_a_path_or_systemd() {
        for text in ["127.0.0.1:3000", "[::1]:3000", "unix:/run/hostbeat.sock", "systemd"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        for text in ["", "unix:", "unix:hostbeat.sock", "unix:/run/", "systemd:1", "/run/hostbeat.sock", "localhost:80"]
        {
            assert_eq!(text.parse::<ListenAddress>(), Err(InvalidListenAddress), "{text}");
        }
    }

    #[test]
    fn mode_is_octal() {
        assert_eq!((unix_mode("660"), unix_mode("0600")), (Ok(0o660), Ok(0o600)));
        for text in ["", "rw", "888", "1777"] {
            assert!(unix_mode(text).unwrap_err().contains("660"), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn owner_is_looked_up_by_name_or_id() {
        assert_eq!(unix_owner("root:root"), Ok(UnixOwner { user: Some(0), group: Some(0) }));
        assert_eq!(unix_owner(":12"), Ok(UnixOwner { user: None, group: Some(12) }));
        assert_eq!(unix_owner("root"), Ok(UnixOwner { user: Some(0), group: None }));
        assert!(unix_owner(":no-such-group").unwrap_err().contains("no group no-such-group"));
        assert!(unix_owner(":").unwrap_err().contains("hostbeat:www-data"));
    }
}
