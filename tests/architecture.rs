//! Holds the imports to the table in `docs/architecture.md`, and the table to having no cycle.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::visit::{Visit, visit_item_mod, visit_path};

/// Which modules each module may use, by the table's rows `` | `name` | … | `used`, `used` | ``.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let document = fs::read_to_string("docs/architecture.md").unwrap();
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    rows.filter_map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').collect();
        let [module, _, used] = cells[..] else { return None };
        Some((names(module).pop_first()?, names(used)))
    })
    .collect()
}

/// `schema`, `charts` … by the first folder or file in `src/`; below `server/` by the second.
fn module(path: &[String]) -> Option<String> {
    match path {
        [first, second, ..] if first == "server" => Some(format!("server/{second}")),
        [first, ..] => Some(first.clone()),
        [] => None,
    }
}

/// The crate's modules that a file names, in `use` items and in paths, outside of its tests.
struct Imports {
    /// Path of the file's own module.
    own: Vec<String>,
    found: BTreeSet<Vec<String>>,
}

impl Imports {
    fn add(&mut self, segments: &[String]) {
        let path = match segments.first().map(String::as_str) {
            Some("crate") => segments[1..].to_vec(),
            Some("super") => {
                let up = segments.iter().take_while(|segment| *segment == "super").count();
                let base = &self.own[..self.own.len().saturating_sub(up)];
                [base, &segments[up..]].concat()
            }
            _ => return,
        };
        self.found.insert(path);
    }

    fn add_tree(&mut self, mut prefix: Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.add_tree(prefix, &path.tree);
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(prefix.clone(), tree)),
            syn::UseTree::Name(name) => self.add(&[prefix, vec![name.ident.to_string()]].concat()),
            syn::UseTree::Rename(name) => self.add(&[prefix, vec![name.ident.to_string()]].concat()),
            syn::UseTree::Glob(_) => self.add(&prefix),
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(Vec::new(), &item.tree);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        visit_path(self, path);
    }
}

/// The sources in a folder; without tests, which may use everything.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nested = entries.map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    nested.flatten().filter(|path| !path.ends_with("tests.rs") && !path.ends_with("series_paths.rs")).collect()
}

fn imports(file: &Path) -> Imports {
    let own = file.strip_prefix("src").unwrap().with_extension("");
    let mut own: Vec<_> = own.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    own.pop_if(|last| *last == "mod");
    let mut imports = Imports { own, found: BTreeSet::new() };
    imports.visit_file(&syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap());
    imports
}

#[test]
fn imports_follow_the_documented_table() {
    let allowed = allowed();
    let modules: BTreeSet<_> = sources(Path::new("src"))
        .iter()
        .filter_map(|file| module(&imports(file).own))
        .filter(|module| !["main", "lib", "server/mod"].contains(&module.as_str()) && module != "server")
        .collect();
    let documented: BTreeSet<_> = allowed.keys().cloned().collect();
    assert_eq!(modules, documented, "modules in src/ and in docs/architecture.md");
    for file in sources(Path::new("src")) {
        let imports = imports(&file);
        let Some(own) = module(&imports.own).filter(|own| documented.contains(own)) else { continue };
        for used in imports.found.iter().filter_map(|path| module(path)) {
            let is_fine = used == own || !documented.contains(&used) || allowed[&own].contains(&used);
            assert!(is_fine, "{}: {own} uses {used}, which docs/architecture.md doesn't list", file.display());
        }
    }
}

#[test]
fn documented_table_has_no_cycle() {
    let allowed = allowed();
    assert!(!allowed.is_empty());
    let mut ordered = BTreeSet::new();
    while ordered.len() < allowed.len() {
        let next = allowed.iter().find(|(module, used)| !ordered.contains(*module) && used.is_subset(&ordered));
        let Some((module, _)) = next else {
            panic!("a cycle among {:?}", allowed.keys().filter(|module| !ordered.contains(*module)).collect::<Vec<_>>())
        };
        ordered.insert(module.clone());
    }
}

/// A confined server can't run programs, so a path that tries would fail on users' hosts only.
#[test]
fn sources_run_no_other_program() {
    let is_test = |file: &Path| file.components().any(|folder| folder.as_os_str() == "tests");
    for file in sources(Path::new("src")).into_iter().filter(|file| !is_test(file)) {
        let text = fs::read_to_string(&file).unwrap();
        let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for run in ["process::Command", "Command::new", "CommandExt", "posix_spawn", "exec(", "execve(", "fork("] {
            assert!(!product.contains(run), "{} has {run}", file.display());
        }
    }
}
