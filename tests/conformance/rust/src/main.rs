//! Asks what the list of cases says, through Datadog's Rust client: `ask cases.json`, a line for each.

use std::time::{SystemTime, UNIX_EPOCH};

use datadog_api_client::datadog::{APIKey, Configuration, Error};
use datadog_api_client::datadogV2::api_processes::{
    ListProcessesError, ListProcessesOptionalParams, ProcessesAPI,
};
use futures_util::{pin_mut, StreamExt};
use serde::Deserialize;
use serde_json::{json, Value};

#[derive(Deserialize)]
struct Case {
    name: String,
    url: String,
    parameters: Parameters,
    api_key: String,
    application_key: String,
    bearer: String,
    all_pages: bool,
    retry: bool,
}

#[derive(Deserialize)]
struct Parameters {
    search: Option<String>,
    tags: Option<String>,
    from: Option<i64>,
    to: Option<i64>,
    page_limit: Option<i32>,
    page_cursor: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let path = std::env::args().nth(1).expect("the list of cases");
    let text = std::fs::read_to_string(path).expect("the list of cases");
    let cases: Vec<Case> = serde_json::from_str(&text).expect("a list of cases");
    for case in cases {
        let asked_at = now();
        let mut result = ask(&case).await;
        result["name"] = json!(case.name);
        result["asked_at"] = json!(asked_at);
        result["answered_at"] = json!(now());
        println!("{result}");
    }
}

async fn ask(case: &Case) -> Value {
    if !case.bearer.is_empty() {
        return json!({"status": 0, "errors": ["this client has no bearer for this call"]});
    }
    let api = ProcessesAPI::with_config(configuration(case));
    if !case.all_pages {
        return match api.list_processes(parameters(&case.parameters)).await {
            Ok(answer) => {
                let page = answer.meta.expect("meta").page.expect("meta.page");
                json!({"status": 200, "data": answer.data, "after": page.after, "size": page.size})
            }
            Err(error) => refusal(error),
        };
    }
    let pages = api.list_processes_with_pagination(parameters(&case.parameters));
    pin_mut!(pages);
    let mut data = Vec::new();
    while let Some(item) = pages.next().await {
        match item {
            Ok(process) => data.push(process),
            Err(error) => return refusal(error),
        }
    }
    json!({"status": 200, "data": data})
}

fn configuration(case: &Case) -> Configuration {
    let (protocol, name) = case.url.split_once("://").expect("a URL");
    let mut configuration = Configuration::new();
    // The second of its servers is the one whose address may be anything.
    configuration.server_index = 1;
    configuration.server_variables.insert("protocol".to_owned(), protocol.to_owned());
    configuration.server_variables.insert("name".to_owned(), name.to_owned());
    for (scheme, key) in [("apiKeyAuth", &case.api_key), ("appKeyAuth", &case.application_key)] {
        configuration.set_auth_key(scheme, APIKey { key: key.clone(), prefix: String::new() });
    }
    // It doubles its wait from try to try and does not look at how long it should be: three would be over too soon.
    configuration.set_retry(case.retry, 12);
    configuration
}

fn parameters(given: &Parameters) -> ListProcessesOptionalParams {
    let mut parameters = ListProcessesOptionalParams::default();
    parameters.search = given.search.clone();
    parameters.tags = given.tags.clone();
    parameters.from = given.from;
    parameters.to = given.to;
    parameters.page_limit = given.page_limit;
    parameters.page_cursor = given.page_cursor.clone();
    parameters
}

fn refusal(error: Error<ListProcessesError>) -> Value {
    let Error::ResponseError(answer) = error else {
        panic!("not an answer of the server: {error}");
    };
    match answer.entity {
        Some(ListProcessesError::APIErrorResponse(model)) => {
            json!({"status": answer.status.as_u16(), "errors": model.errors})
        }
        _ => panic!("no errors in {}", answer.content),
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs_f64()
}
