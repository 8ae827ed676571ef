//! `hostbeat install` and `hostbeat uninstall`: the service of systemd, from this file alone.

mod step;
mod systemd;

use super::CommandError;
use crate::server::listen_address::ListenAddress;
use clap::Args;
use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use step::{Step, Verb};

/// The unit of the package, whose program is in `/usr/bin`.
const UNIT: &str = include_str!("../../../../deploy/hostbeat.service");
const DEFAULTS: &str = include_str!("../../../../deploy/hostbeat.default");

const PROGRAM: &str = "usr/local/bin/hostbeat";
const UNIT_PATH: &str = "etc/systemd/system/hostbeat.service";
const WANTED_PATH: &str = "etc/systemd/system/multi-user.target.wants/hostbeat.service";
const DEFAULTS_PATH: &str = "etc/default/hostbeat";
/// systemd makes the first a link to the second.
const DATA_PATHS: [&str; 2] = ["var/lib/hostbeat", "var/lib/private/hostbeat"];
/// The package's list of files, by dpkg.
const PACKAGE: &str = "var/lib/dpkg/info/hostbeat.list";

/// Install this program as a service of systemd, and start it
#[derive(Args, Clone, Debug)]
pub struct InstallCommand {
    /// Address and port to listen on, as for the server; without it, what /etc/default/hostbeat has stays
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    listen: Vec<ListenAddress>,
    #[command(flatten)]
    target: Target,
}

/// Stop and remove the service that `hostbeat install` made
#[derive(Args, Clone, Debug)]
pub struct UninstallCommand {
    /// Remove users, tokens, history and options, too
    #[arg(long)]
    purge: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Args, Clone, Debug)]
struct Target {
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Folder of another system, such as an image's; nothing is started or stopped
    #[arg(long, value_name = "DIR", default_value = "/", hide_default_value = true)]
    root: PathBuf,
}

impl InstallCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When it can't be done.
    pub fn run(&self) -> Result<(), CommandError> {
        let target = &self.target;
        target.check("install")?;
        let program = env::current_exe()?;
        let defaults_path = target.path(DEFAULTS_PATH);
        let defaults = fs::read_to_string(&defaults_path).ok();
        let listen = self.listen.iter().map(ListenAddress::to_string).collect::<Vec<_>>().join(",");
        let mut steps = vec![
            Step::Copy { from: program, to: target.path(PROGRAM) },
            Step::Write { path: target.path(UNIT_PATH), text: UNIT.replace("/usr/bin/", "/usr/local/bin/") },
        ];
        if defaults.is_none() || !listen.is_empty() {
            let text = with_listen(defaults.as_deref().unwrap_or(DEFAULTS), &listen);
            steps.push(Step::Write { path: defaults_path, text });
        }
        steps.push(Step::Link { path: target.path(WANTED_PATH), to: PathBuf::from("/").join(UNIT_PATH) });
        steps.extend(target.systemd(&[Verb::Reload, Verb::Restart]));
        target.take(&steps)?;
        let mut out = io::stdout();
        let listen =
            if listen.is_empty() { "127.0.0.1:3000, or HOSTBEAT_LISTEN in /etc/default/hostbeat" } else { &listen };
        writeln!(out, "listens on {listen}; until there is a user, only this host is answered. Add one with:")?;
        writeln!(out, "  sudo /{PROGRAM} user add NAME --role admin --data /{}", DATA_PATHS[0])?;
        Ok(())
    }
}

impl UninstallCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When it can't be done.
    pub fn run(&self) -> Result<(), CommandError> {
        let target = &self.target;
        target.check("uninstall")?;
        let mut removed = vec![WANTED_PATH, UNIT_PATH, PROGRAM];
        if self.purge {
            removed.push(DEFAULTS_PATH);
            removed.extend(DATA_PATHS);
        }
        let exists = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
        let removed: Vec<_> = removed.into_iter().map(|path| target.path(path)).filter(exists).collect();
        if removed.is_empty() {
            return Err(CommandError::Input("nothing is installed here".to_owned()));
        }
        let is_installed = exists(&target.path(UNIT_PATH));
        let mut steps: Vec<_> = target.systemd(&[Verb::Stop]).filter(|_| is_installed).collect();
        steps.extend(removed.into_iter().map(|path| Step::Remove { path }));
        steps.extend(target.systemd(&[Verb::Reload]));
        target.take(&steps)?;
        if !self.purge {
            writeln!(io::stdout(), "kept /{} and /{DEFAULTS_PATH}; --purge removes them", DATA_PATHS[0])?;
        }
        Ok(())
    }
}

impl Target {
    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn is_this_system(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Refuses before anything is changed.
    fn check(&self, command: &str) -> Result<(), CommandError> {
        let refuse = |reason: String| Err(CommandError::Input(reason));
        if self.path(PACKAGE).exists() {
            return refuse(format!("the package hostbeat is installed; apt manages its files, not hostbeat {command}"));
        }
        if !self.root.is_dir() {
            return refuse(format!("{} is no folder; --root takes the root of a system", self.root.display()));
        }
        if self.dry_run || !self.is_this_system() {
            return Ok(());
        }
        if !rustix::process::geteuid().is_root() {
            return refuse(format!("only root can change services; type: sudo hostbeat {command}"));
        }
        if !Path::new("/run/systemd/system").is_dir() {
            return refuse("systemd does not run here; start hostbeat by what runs instead".to_owned());
        }
        Ok(())
    }

    fn systemd(&self, verbs: &'static [Verb]) -> impl Iterator<Item = Step> {
        verbs.iter().filter(|_| self.is_this_system()).map(|verb| Step::Systemd(*verb))
    }

    fn take(&self, steps: &[Step]) -> Result<(), CommandError> {
        for step in steps {
            writeln!(io::stdout(), "{}{step}", if self.dry_run { "would " } else { "" })?;
            if !self.dry_run {
                step.take().map_err(|reason| CommandError::Step { step: step.to_string(), reason })?;
            }
        }
        Ok(())
    }
}

/// Options with another `HOSTBEAT_LISTEN`, unless `listen` is empty.
fn with_listen(defaults: &str, listen: &str) -> String {
    if listen.is_empty() {
        return defaults.to_owned();
    }
    let others = defaults.lines().filter(|line| !line.starts_with("HOSTBEAT_LISTEN="));
    others.map(|line| format!("{line}\n")).collect::<String>() + &format!("HOSTBEAT_LISTEN={listen}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use tempfile::{TempDir, tempdir};

    #[derive(Parser)]
    enum Command {
        Install(InstallCommand),
        Uninstall(UninstallCommand),
    }

    fn run(root: &TempDir, args: &str) -> Result<(), CommandError> {
        let root = root.path().to_str().unwrap();
        match Command::parse_from(format!("hostbeat {args} --root {root}").split(' ')) {
            Command::Install(command) => command.run(),
            Command::Uninstall(command) => command.run(),
        }
    }

    fn files(root: &TempDir) -> Vec<String> {
        let all = [PROGRAM, UNIT_PATH, WANTED_PATH, DEFAULTS_PATH, DATA_PATHS[0]];
        let exists = |path: &&str| fs::symlink_metadata(root.path().join(path)).is_ok();
        all.into_iter().filter(exists).map(str::to_owned).collect()
    }

    #[test]
    fn uninstall_undoes_install_and_keeps_data_without_purge() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempdir().unwrap();
        run(&root, "install --dry-run").unwrap();
        assert!(files(&root).is_empty());

        run(&root, "install --listen 0.0.0.0:80,[::1]:81").unwrap();
        run(&root, "install").unwrap();
        let read = |path| fs::read_to_string(root.path().join(path)).unwrap();
        assert!(read(DEFAULTS_PATH).ends_with("\nHOSTBEAT_LISTEN=0.0.0.0:80,[::1]:81\n"), "{}", read(DEFAULTS_PATH));
        assert!(read(UNIT_PATH).contains("\nExecStart=/usr/local/bin/hostbeat\n"), "{}", read(UNIT_PATH));
        assert_eq!(fs::metadata(root.path().join(PROGRAM)).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_link(root.path().join(WANTED_PATH)).unwrap(), Path::new("/").join(UNIT_PATH));
        fs::create_dir_all(root.path().join(DATA_PATHS[0])).unwrap();

        run(&root, "uninstall --dry-run --purge").unwrap();
        assert_eq!(files(&root).len(), 5);
        run(&root, "uninstall").unwrap();
        assert_eq!(files(&root), [DEFAULTS_PATH, DATA_PATHS[0]]);
        run(&root, "uninstall --purge").unwrap();
        assert!(files(&root).is_empty());
        assert!(run(&root, "uninstall --purge").unwrap_err().is_bad_input());
    }

    #[test]
    fn files_of_the_package_are_left_to_apt() {
        let root = tempdir().unwrap();
        fs::create_dir_all(root.path().join(PACKAGE)).unwrap();
        for command in ["install", "uninstall", "install --dry-run"] {
            let refusal = run(&root, command).unwrap_err();
            assert!(refusal.is_bad_input() && refusal.to_string().contains("apt"), "{refusal}");
        }
        assert!(files(&root).is_empty());
    }

    #[test]
    fn listen_addresses_replace_earlier_ones_and_keep_other_options() {
        let defaults = "# a\nHOSTBEAT_LISTEN=127.0.0.1:1\nHOSTBEAT_PUBLIC=1";
        assert_eq!(with_listen(defaults, "[::]:80"), "# a\nHOSTBEAT_PUBLIC=1\nHOSTBEAT_LISTEN=[::]:80\n");
        assert_eq!(with_listen(defaults, ""), defaults);
    }
}
