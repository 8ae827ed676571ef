//! Requests to systemd over the system bus: Hostbeat starts no other program, systemctl(1) neither.

use super::step::Verb;
use std::time::Duration;
use tokio::{runtime, time::sleep};
use zbus::{Connection, Message, ObjectPath, OwnedObjectPath, OwnedVariant, connection::Builder};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "/org/freedesktop/systemd1";
const SERVICE: &str = "hostbeat.service";
/// As long as systemd waits for a service.
const TIMEOUT: Duration = Duration::from_secs(90);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Makes a request, and waits until it is done.
pub(super) fn request(verb: Verb) -> Result<(), String> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime
        .block_on(request_of(verb))
        .map_err(|error| format!("{error}; type: systemctl daemon-reload, then systemctl restart or stop {SERVICE}"))?
}

async fn request_of(verb: Verb) -> zbus::Result<Result<(), String>> {
    let systemd = Builder::system().method_timeout(TIMEOUT).build().await?;
    let method = match verb {
        Verb::Reload => return call(&systemd, "Reload", &()).await.map(|_| Ok(())),
        Verb::Restart => "RestartUnit",
        Verb::Stop => "StopUnit",
    };
    let job = call(&systemd, method, &(SERVICE, "replace")).await?.body().deserialize::<OwnedObjectPath>()?;
    // A job that is done has no properties.
    while property(&systemd, &job, "org.freedesktop.systemd1.Job", "State").await.is_ok() {
        sleep(POLL_INTERVAL).await;
    }
    let unit = call(&systemd, "LoadUnit", &SERVICE).await?.body().deserialize::<OwnedObjectPath>()?;
    let state = property(&systemd, &unit, "org.freedesktop.systemd1.Unit", "ActiveState").await?;
    Ok(match verb {
        Verb::Restart if state != "active" => Err(format!("it is {state}; type: journalctl --unit {SERVICE}")),
        _ => Ok(()),
    })
}

async fn call<B>(systemd: &Connection, method: &str, body: &B) -> zbus::Result<Message>
where
    B: serde::Serialize + zbus::DynamicType,
{
    systemd.call_method(Some(SYSTEMD), MANAGER, Some("org.freedesktop.systemd1.Manager"), method, body).await
}

async fn property(systemd: &Connection, object: &ObjectPath<'_>, owner: &str, name: &str) -> zbus::Result<String> {
    let interface = Some("org.freedesktop.DBus.Properties");
    let answer = systemd.call_method(Some(SYSTEMD), object, interface, "Get", &(owner, name)).await?;
    answer.body().deserialize::<OwnedVariant>()?.try_into()
}
