//! What README.md says of the parameters is what the code does.

use mpegclient::{Kind, PARAMETERS, Scope};
use std::path::Path;

#[test]
fn the_table_of_parameters_is_that_of_the_code() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).expect("README.md cannot be read");
    let mut table = String::from("| parameter | values | default | counts | what it does |\n|---|---|---|---|---|\n");
    for parameter in PARAMETERS {
        let values = match parameter.kind {
            Kind::Choice(words) => words.join(", "),
            _ => parameter.range(),
        };
        let default = if parameter.default.is_empty() { "" } else { &format!("`{}`", parameter.default) };
        let counts = match parameter.scope {
            Scope::Setup => "at setup",
            Scope::Now => "at once",
        };
        table.push_str(&format!("| `{}` | {values} | {default} | {counts} | {} |\n", parameter.key, parameter.help));
    }
    assert!(readme.contains(&table), "README.md should hold this table:\n{table}");
}
