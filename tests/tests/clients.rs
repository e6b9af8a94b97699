//! Clients nobody here wrote: boto3 against the endpoint. GROUNDCREW_PYTHON names a Python that has it.

use std::process::Command;

use anyhow::Result;
use tests::app::App;

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_what_it_expects() -> Result<()> {
    let python = std::env::var("GROUNDCREW_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_boto3 = Command::new(&python)
        .args(["-c", "import boto3"])
        .output()
        .is_ok_and(|o| o.status.success());
    if !has_boto3 {
        assert!(
            std::env::var_os("GROUNDCREW_PYTHON").is_none(),
            "{python} has no boto3"
        );
        eprintln!("skipped: {python} has no boto3 (GROUNDCREW_PYTHON names one that has)");
        return Ok(());
    }
    let app = App::start_bare().await?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/smoke.py");
    let output = Command::new(&python)
        .arg(script)
        .envs(app.aws_environment())
        .output()?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    Ok(())
}
