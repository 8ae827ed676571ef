//! Units of systemd that fail, as its manager on the system bus lists them.

use super::host_events::of_host;
use crate::{
    schema::{Annotation, AnnotationLevel},
    server::unix_time::unix_ms,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::mpsc::Sender, time::sleep};
use zbus::{Connection, OwnedObjectPath, OwnedVariant, connection::Builder};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "/org/freedesktop/systemd1";
/// systemd goes through all of its units for each answer.
const INTERVAL: Duration = Duration::from_secs(5);
/// A host without systemd, or a busy one, is left alone for this long.
const RETRY: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(5);

/// A unit as `ListUnitsFiltered` describes it (org.freedesktop.systemd1(5)): name, description, load, active and sub state,
/// the unit that it follows, its object, and its job.
type ListedUnit = (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// A failed unit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FailedUnit {
    description: String,
    /// When it failed, Unix ms.
    t: u64,
}

/// Annotates units that fail from now on, until `annotations` is closed.
pub(super) async fn watch(annotations: Sender<Annotation>) {
    while !annotations.is_closed() {
        if let Err(error) = watch_bus(&annotations).await {
            tracing::debug!(%error, "systemd can't be asked for failed units");
        }
        sleep(RETRY).await;
    }
}

async fn watch_bus(annotations: &Sender<Annotation>) -> zbus::Result<()> {
    let systemd = Builder::system().method_timeout(TIMEOUT).build().await?;
    let mut known = failed_units(&systemd).await?;
    while !annotations.is_closed() {
        sleep(INTERVAL).await;
        let failed = failed_units(&systemd).await?;
        for (name, unit) in &failed {
            if known.get(name).is_none_or(|before| before.t != unit.t) {
                let _ = annotations.try_send(annotation(name, unit));
            }
        }
        known = failed;
    }
    Ok(())
}

fn annotation(name: &str, FailedUnit { description, t }: &FailedUnit) -> Annotation {
    Annotation {
        id: format!("unit-{t}-{name}"),
        t: *t,
        level: AnnotationLevel::Critical,
        title: format!("{name} failed"),
        text: description.clone(),
        ..of_host("unit")
    }
}

/// The failed units by name.
async fn failed_units(systemd: &Connection) -> zbus::Result<BTreeMap<String, FailedUnit>> {
    let manager = Some("org.freedesktop.systemd1.Manager");
    let answer =
        systemd.call_method(Some(SYSTEMD), MANAGER, manager, "ListUnitsFiltered", &(["failed"].as_slice(),)).await?;
    let mut failed = BTreeMap::new();
    for (name, description, _, _, _, _, object, ..) in answer.body().deserialize::<Vec<ListedUnit>>()? {
        let t = failed_at(systemd, &object).await.unwrap_or_else(|_| unix_ms());
        failed.insert(name, FailedUnit { description, t });
    }
    Ok(failed)
}

/// When the unit became what it is, Unix ms.
async fn failed_at(systemd: &Connection, unit: &OwnedObjectPath) -> zbus::Result<u64> {
    let interface = Some("org.freedesktop.DBus.Properties");
    let property = &("org.freedesktop.systemd1.Unit", "StateChangeTimestamp");
    let answer = systemd.call_method(Some(SYSTEMD), unit, interface, "Get", property).await?;
    let microseconds: u64 = answer.body().deserialize::<OwnedVariant>()?.try_into()?;
    Ok(microseconds / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotation_names_the_unit_and_its_failure() {
        let unit = FailedUnit { description: "Backup of the shop".to_owned(), t: 1000 };
        let annotation = annotation("backup.service", &unit);
        assert_eq!((&*annotation.title, annotation.t), ("backup.service failed", 1000));
        assert_eq!((annotation.level, &*annotation.text), (AnnotationLevel::Critical, "Backup of the shop"));
        assert_ne!(annotation.id, super::annotation("backup.service", &FailedUnit { t: 2000, ..unit }).id);
    }
}
