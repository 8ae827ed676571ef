//! What a confined process can and can't do, from inside: the test confines itself. Alone in its file, since there is no
//! way back.

#![cfg(all(target_os = "linux", feature = "ssr"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed")]

use hostbeat::{
    schema::{Connections, Cpu, Disk, Load, Memory, Network},
    server::{
        Confinement,
        sampler::{HostSampler, SamplerOptions, SystemClock, TickSource},
        store::{DataOptions, Database, Role},
    },
};
use nix::{
    errno::Errno,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{
        ptrace,
        socket::{AddressFamily, SockFlag, SockType, socket},
    },
    unistd::getppid,
};
use std::{
    fs::{self, File},
    io::{self, ErrorKind::PermissionDenied},
    net::{TcpListener, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    process::Command,
    thread,
};

#[test]
fn confined_process_keeps_its_folders_and_the_host_and_loses_all_else() {
    let (own, sockets, foreign) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(foreign.path().join("secret"), "").unwrap();
    Confinement {
        readable: Vec::new(),
        writable: vec![own.path().to_owned()],
        with_sockets: vec![sockets.path().to_owned()],
    }
    .apply();
    loses_all_else(foreign.path());
    keeps_what_it_needs(own.path(), sockets.path());
    // Threads are confined as the one that starts them.
    thread::scope(|scope| {
        scope.spawn(|| loses_all_else(foreign.path()));
    });
}

fn loses_all_else(foreign: &Path) {
    let is_refused = |done: io::Result<()>| done.unwrap_err().kind() == PermissionDenied;
    assert!(is_refused(Command::new("/bin/true").status().map(drop)), "another program is run");
    for path in ["/etc/shadow", "/etc/passwd", "Cargo.toml", "/bin/true"].map(Path::new) {
        assert!(is_refused(File::open(path).map(drop)), "{} is read", path.display());
    }
    assert!(is_refused(File::open(foreign.join("secret")).map(drop)));
    assert!(is_refused(fs::write(foreign.join("file"), "")));
    assert!(is_refused(fs::write(foreign.join("secret"), "")));
    assert!(is_refused(fs::remove_file(foreign.join("secret"))));
    assert!(is_refused(fs::create_dir(foreign.join("folder"))));
    assert!(is_refused(UnixListener::bind(foreign.join("socket")).map(drop)));
    assert!(is_refused(fs::write("/proc/sys/kernel/hostname", "other")));
    assert_eq!(ptrace::attach(getppid()), Err(Errno::EPERM));
    let none = None::<&str>;
    assert_eq!(mount(none, foreign, Some("tmpfs"), MsFlags::empty(), none), Err(Errno::EPERM));
    assert_eq!(unshare(CloneFlags::CLONE_NEWUSER), Err(Errno::EPERM));
    let packets = socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None);
    assert_eq!(packets.map(drop), Err(Errno::EPERM));
}

fn keeps_what_it_needs(own: &Path, sockets: &Path) {
    let mut host = HostSampler::new(&SamplerOptions::default(), Default::default());
    let clock = SystemClock::default();
    host.read(1000, &clock);
    let tick = host.read(2000, &clock);
    assert!(tick.get::<Cpu>().is_some() && tick.get::<Memory>().is_some() && tick.get::<Load>().is_some());
    assert!(tick.get::<Network>().is_some() && tick.get::<Disk>().is_some());
    assert!(tick.get::<Connections>().unwrap().values.tcp.in_use.is_some());

    fs::write(own.join("draft"), "new").unwrap();
    fs::rename(own.join("draft"), own.join("file")).unwrap();
    assert_eq!(fs::read_to_string(own.join("file")).unwrap(), "new");
    fs::remove_file(own.join("file")).unwrap();
    let mut database = Database::open(&DataOptions { data: Some(own.to_owned()) }).unwrap();
    database.edit(|edit| edit.add_user(&"ann".parse().unwrap(), Role::Viewer, None)).unwrap();

    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    TcpStream::connect(port.local_addr().unwrap()).unwrap();
    let path = sockets.join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    UnixStream::connect(&path).unwrap();
    drop(listener);
    fs::remove_file(path).unwrap();
}
