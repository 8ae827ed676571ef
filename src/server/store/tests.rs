//! Tests of the store: a server's handle, and another process that changes its file.

use super::{watch::LOCK, *};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::timeout;

/// Changes take effect within a second; this allows for a busy host.
const TIMEOUT: Duration = Duration::from_secs(10);

fn data(folder: &Path) -> DataOptions {
    DataOptions { data: Some(folder.to_owned()) }
}

fn open(folder: &TempDir) -> Store {
    Store::open(&data(folder.path()), SessionTimeouts::default()).unwrap()
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn add_user(database: &mut Database, user: &str) {
    let hash = PasswordHash("hash".to_owned());
    database.edit(|edit| edit.add_user(&name(user), Role::Viewer, Some(&hash))).unwrap();
}

fn session(user: &str, proof: Proof) -> NewSession {
    let address = IpAddr::from(Ipv4Addr::LOCALHOST);
    NewSession { user: name(user), proof, address, user_agent: "\u{fc}".repeat(300) }
}

/// The password that [`add_user`] gives.
fn password() -> Proof {
    Proof::Password(PasswordHash("hash".to_owned()))
}

async fn start_session(store: &Store, user: &str) -> (String, Secret) {
    let new = session(user, password());
    store.edit(move |edit| edit.start_session(&new)).await.unwrap()
}

/// Waits until a snapshot fulfils the condition.
async fn wait(store: &Store, condition: impl FnMut(&Arc<Accounts>) -> bool) {
    timeout(TIMEOUT, store.watch().wait_for(condition)).await.expect("a snapshot in time").unwrap();
}

#[tokio::test]
async fn user_added_by_another_process_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    assert!(store.accounts().are_known() && !store.accounts().has_users());
    let mut other = Database::open(&data(folder.path())).unwrap();
    add_user(&mut other, "alice");
    wait(&store, |accounts| accounts.user("alice").is_some()).await;
    add_user(&mut other, "bob");
    wait(&store, |accounts| accounts.users().len() == 2).await;
}

#[tokio::test]
async fn session_ends_with_its_user_password_or_role() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let mut other = Database::open(&data(folder.path())).unwrap();
    type Change = fn(&Edit<'_>) -> Result<(), StoreError>;
    let changes: [Change; 3] = [
        |edit| edit.remove_user(&name("alice")),
        |edit| edit.set_password(&name("alice"), &PasswordHash("other".to_owned())),
        |edit| edit.set_role(&name("alice"), Role::Admin),
    ];
    for change in changes {
        let _ = other.edit(|edit| edit.remove_user(&name("alice")));
        add_user(&mut other, "alice");
        add_user(&mut other, "bob");
        let (_, secret) = start_session(&store, "alice").await;
        let (_, kept) = start_session(&store, "bob").await;
        let accounts = store.accounts();
        let session = accounts.session(secret.expose()).expect("the snapshot is current after an edit");
        assert_eq!((session.user.as_ref(), session.user_agent.chars().count()), ("alice", 200));
        other.edit(change).unwrap();
        wait(&store, |accounts| accounts.session(secret.expose()).is_none()).await;
        assert!(store.accounts().session(kept.expose()).is_some());
        other.edit(|edit| edit.remove_user(&name("bob"))).unwrap();
    }
}

#[tokio::test]
async fn session_of_removed_or_changed_user_is_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let start = || store.edit(move |edit| edit.start_session(&session("alice", password())));
    assert!(matches!(start().await, Err(StoreError::UserChanged(_))), "the user was removed");
    let add = |hash: &str| PasswordHash(hash.to_owned());
    let (first, second) = (add("hash"), add("another hash"));
    store.edit(move |edit| edit.add_user(&name("alice"), Role::Viewer, Some(&first))).await.unwrap();
    assert!(start().await.is_ok());
    store.edit(move |edit| edit.set_password(&name("alice"), &second)).await.unwrap();
    assert!(matches!(start().await, Err(StoreError::UserChanged(_))), "the password was changed");
    assert!(store.accounts().sessions().is_empty());
}

#[tokio::test]
async fn password_that_is_no_longer_the_users_replaces_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    add_user(&mut Database::open(&data(folder.path())).unwrap(), "alice");
    let replace = |verified: &'static str| {
        store.edit(move |edit| {
            let hash = |text: &str| PasswordHash(text.to_owned());
            edit.replace_password(&name("alice"), &hash(verified), &hash("new"))
        })
    };
    assert!(matches!(replace("stale").await, Err(StoreError::UserChanged(_))));
    assert!(replace("hash").await.is_ok());
}

#[tokio::test]
async fn user_of_a_proxy_or_provider_has_the_role_of_the_table_or_of_the_proof() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let role = async |proof: Proof| {
        let (_, secret) = store.edit(move |edit| edit.start_session(&session("alice", proof))).await?;
        Ok::<_, StoreError>(store.accounts().session(secret.expose()).unwrap().role)
    };
    assert_eq!(role(Proof::Proxy).await.unwrap(), Role::Viewer);
    assert_eq!(role(Proof::Oidc(Role::Admin)).await.unwrap(), Role::Admin);
    store.edit(|edit| edit.add_user(&name("alice"), Role::Admin, None)).await.unwrap();
    assert!(store.accounts().sessions().is_empty(), "they had another role");
    assert_eq!(role(Proof::Proxy).await.unwrap(), Role::Admin);
    assert!(matches!(role(Proof::Oidc(Role::Admin)).await, Err(StoreError::NameOfLocalUser(_))));
    assert!(matches!(role(password()).await, Err(StoreError::UserChanged(_))), "the user has no password");
}

#[tokio::test]
async fn ended_session_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let (id, _) = store.edit(|edit| edit.start_session(&session("alice", Proof::Proxy))).await.unwrap();
    let require = |id: String| store.edit(move |edit| edit.require_session(&id));
    assert!(require(id.clone()).await.is_ok());
    let ended = id.clone();
    store.edit(move |edit| edit.end_session(&ended)).await.unwrap();
    assert!(matches!(require(id).await, Err(StoreError::SessionEnded)));
}

#[tokio::test]
async fn session_expires_idle_and_absolutely() {
    let (short, long) = (Duration::from_millis(600), Duration::from_secs(60));
    for timeouts in [SessionTimeouts { idle: short, absolute: long }, SessionTimeouts { idle: long, absolute: short }] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&data(folder.path()), timeouts).unwrap();
        let (_, secret) =
            store.edit(|edit| edit.start_session(&session("alice", Proof::Oidc(Role::Viewer)))).await.unwrap();
        assert_eq!(store.accounts().sessions().len(), 1);
        wait(&store, |accounts| accounts.sessions().is_empty()).await;
        assert!(store.accounts().session(secret.expose()).is_none());
    }
}

#[tokio::test]
async fn token_is_found_by_its_secret_until_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let (id, secret) = store.edit(|edit| edit.add_token(&name("ci"), Scope::Publish, None)).await.unwrap();
    assert!(matches!(
        store.edit(|edit| edit.add_token(&name("ci"), Scope::Read, None)).await,
        Err(StoreError::TokenExists(_))
    ));
    let accounts = store.accounts();
    let token = accounts.token(secret.expose()).unwrap();
    assert_eq!((&token.id, token.scope), (&id, Scope::Publish));
    assert!(accounts.token("hb_other").is_none() && accounts.session(secret.expose()).is_none());
    let file = fs::read(folder.path().join("hostbeat.db")).unwrap();
    let log = fs::read(folder.path().join("hostbeat.db-wal")).unwrap();
    let contains =
        |bytes: &[u8]| bytes.windows(secret.expose().len()).any(|window| window == secret.expose().as_bytes());
    assert!(!contains(&file) && !contains(&log), "the file has the secret");
    let mut other = Database::open(&data(folder.path())).unwrap();
    other.edit(|edit| edit.revoke_token(&id)).unwrap();
    wait(&store, |accounts| accounts.token(secret.expose()).is_none()).await;
}

#[tokio::test]
async fn expired_token_is_refused_and_watchers_learn_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let expires = crate::server::unix_time::unix_ms() + 600;
    let (_, secret) = store.edit(move |edit| edit.add_token(&name("ci"), Scope::Read, Some(expires))).await.unwrap();
    assert!(store.accounts().token(secret.expose()).is_some());
    wait(&store, |accounts| accounts.token(secret.expose()).is_none()).await;
    assert_eq!(store.accounts().tokens().len(), 1, "it is listed as expired");
}

#[test]
fn oldest_session_ends_past_the_maximum() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = Database::open(&data(folder.path())).unwrap();
    let new = session("alice", Proof::Proxy);
    let start = |edit: &Edit<'_>| edit.start_session(&new).map(|(id, _)| id);
    let first = database.edit(|edit| start(edit).inspect(|id| edit.set_last_seen(id, 1).unwrap())).unwrap();
    database.edit(|edit| (1..MAX_SESSIONS).try_for_each(|_| start(edit).map(drop))).unwrap();
    let last = database.edit(start).unwrap();
    let sessions = database.edit(|edit| edit.count("sessions")).unwrap();
    assert_eq!(sessions, MAX_SESSIONS);
    let accounts = database.accounts().unwrap();
    let has = |id: &String| accounts.sessions().iter().any(|session| session.id == *id);
    assert!(has(&last) && !has(&first));
}

#[test]
fn user_past_the_maximum_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = Database::open(&data(folder.path())).unwrap();
    let add = |edit: &Edit<'_>, n| edit.add_user(&name(&format!("user{n}")), Role::Viewer, None);
    database.edit(|edit| (0..MAX_USERS).try_for_each(|n| add(edit, n))).unwrap();
    assert!(matches!(database.edit(|edit| add(edit, MAX_USERS)), Err(StoreError::TooManyUsers)));
    assert!(matches!(database.edit(|edit| add(edit, 0)), Err(StoreError::UserExists(_))));
}

#[tokio::test]
async fn removed_file_admits_nobody_until_a_user_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    add_user(&mut Database::open(&data(folder.path())).unwrap(), "alice");
    wait(&store, |accounts| accounts.has_users()).await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.path().join(format!("hostbeat.db{suffix}")));
    }
    wait(&store, |accounts| !accounts.has_users() && !accounts.are_known()).await;
    add_user(&mut Database::open(&data(folder.path())).unwrap(), "bob");
    wait(&store, |accounts| accounts.are_known() && accounts.user("bob").is_some()).await;
}

#[tokio::test]
async fn damaged_file_is_set_aside_and_admits_nobody_until_a_user_is_added() {
    let whole = tempfile::tempdir().unwrap();
    let mut database = Database::open(&data(whole.path())).unwrap();
    (0..200).for_each(|n| add_user(&mut database, &format!("user{n}")));
    drop(database);
    let whole = fs::read(whole.path().join("hostbeat.db")).unwrap();
    let mut overwritten = whole.clone();
    overwritten[5000..12_000].fill(0x5a);
    for content in [b"no database, but long enough for a header of one hundred bytes".repeat(3), overwritten] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hostbeat.db"), &content).unwrap();
        for _ in ["first start", "restart"] {
            let store = open(&folder);
            assert!(!store.accounts().are_known() && !store.accounts().has_users());
            drop(store);
            // The watching thread holds the lock until it looks again.
            while !folder_is_free(folder.path()) {
                std::thread::yield_now();
            }
        }
        let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        // SQLite's log and index are kept beside it.
        let is_kept = |name: &str| name.contains(".damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm");
        let kept: Vec<_> = files.filter(|path| is_kept(&path.to_string_lossy())).collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(fs::read(&kept[0]).unwrap(), content);
        let store = open(&folder);
        store.edit(|edit| edit.add_user(&name("alice"), Role::Admin, None)).await.unwrap();
        assert!(store.accounts().are_known());
    }
}

fn folder_is_free(folder: &Path) -> bool {
    let folder = Folder::find(&data(folder)).unwrap();
    folder.lock(LOCK).is_ok()
}

#[test]
fn folder_that_cannot_be_made_admits_nobody() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let store = Store::open(&data(&file.path().join("data")), SessionTimeouts::default()).unwrap();
    assert!(!store.accounts().are_known());
}

#[test]
fn second_store_of_one_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(&folder);
    let second = Store::open(&data(folder.path()), SessionTimeouts::default());
    assert!(matches!(second, Err(StoreError::InUse(_))));
}
