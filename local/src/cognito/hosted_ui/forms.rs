//! Forms as HTML: one column, in the keyboard's order; what went wrong is said above the form and tied to the field it is
//! about.

use axum::http::StatusCode;
use axum::response::Response;

use crate::cognito::password_policy::{Rule, rules};
use crate::page::{escape, form_page};

/// What differs between the pages.
pub(super) struct FormPage<'a> {
    pub(super) title: &'a str,
    pub(super) intro: &'a str,
    pub(super) notice: Option<Notice<'a>>,
    pub(super) action: &'a str,
    /// HTML.
    pub(super) fields: String,
    pub(super) button: &'a str,
    /// Below the form, HTML.
    pub(super) after: String,
}

/// A line above the form.
#[derive(Clone, Copy)]
pub(super) enum Notice<'a> {
    Problem(&'a str),
    Success(&'a str),
}

impl Notice<'_> {
    fn html(self) -> String {
        match self {
            Self::Problem(text) => format!(
                "<p role=\"alert\" id=\"problem\" class=\"bad\">{}</p>\n",
                escape(text)
            ),
            Self::Success(text) => format!("<p role=\"status\" class=\"good\">{}</p>\n", escape(text)),
        }
    }
}

pub(super) fn respond(status: StatusCode, page: &FormPage<'_>) -> Response {
    let main = format!(
        "<div class=\"card\">\n<h1>{}</h1>\n<p class=\"soft\">{}</p>\n{}<form method=\"post\" action=\"{}\">\n{}\
         <button type=\"submit\">{}</button>\n</form>\n{}\n</div>",
        escape(page.title),
        escape(page.intro),
        page.notice.map_or_else(String::new, Notice::html),
        escape(page.action),
        page.fields,
        escape(page.button),
        page.after,
    );
    form_page(status, page.title, &main)
}

/// Ties a field to the problem above the form.
fn describe_problem(is_wrong: bool) -> &'static str {
    if is_wrong {
        " aria-invalid=\"true\" aria-describedby=\"problem\""
    } else {
        ""
    }
}

fn autofocus(has_focus: bool) -> &'static str {
    if has_focus { " autofocus" } else { "" }
}

pub(super) fn address(value: &str, is_wrong: bool, has_focus: bool) -> String {
    format!(
        "<label for=\"username\">E-mail address</label>\n<input id=\"username\" name=\"username\" type=\"email\" \
         autocomplete=\"username\" required value=\"{}\"{}{}>\n",
        escape(value),
        describe_problem(is_wrong),
        autofocus(has_focus),
    )
}

/// The address whose password is set: for the reader and the browser's password manager, not to be changed.
pub(super) fn known_address(value: &str) -> String {
    format!(
        "<label for=\"username\">E-mail address</label>\n<input id=\"username\" type=\"email\" autocomplete=\"username\" \
         readonly tabindex=\"-1\" name=\"username\" value=\"{}\">\n",
        escape(value),
    )
}

pub(super) fn password(is_wrong: bool, has_focus: bool) -> String {
    format!(
        "<label for=\"password\">Password</label>\n<input id=\"password\" name=\"password\" type=\"password\" \
         autocomplete=\"current-password\" required{}{}>\n{SHOW}",
        describe_problem(is_wrong),
        autofocus(has_focus),
    )
}

/// Hidden until the script is there to act on it.
const SHOW: &str =
    "<label class=\"show\" hidden><input type=\"checkbox\" id=\"show\"> Show password</label>\n";

pub(super) fn hidden_field(name: &str, value: &str) -> String {
    format!(
        "<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n",
        escape(value)
    )
}

pub(super) fn code(value: &str, is_wrong: bool) -> String {
    format!(
        "<label for=\"code\">Code from the mail</label>\n<input id=\"code\" name=\"code\" inputmode=\"numeric\" \
         autocomplete=\"one-time-code\" maxlength=\"12\" required value=\"{}\"{}{}>\n",
        escape(value),
        describe_problem(is_wrong),
        autofocus(is_wrong || value.is_empty()),
    )
}

/// A new password, twice, under the rules it has to follow. `tried`: the last password, whose missing rules are marked.
pub(super) fn new_password(tried: Option<&str>, is_wrong: bool, has_focus: bool) -> String {
    let rules: String = rules(tried.unwrap_or_default())
        .iter()
        .map(|rule| rule_html(rule, tried.is_some()))
        .collect();
    format!(
        "<div id=\"rules\"><p class=\"soft\">A password needs</p><ul class=\"rules\">{rules}</ul></div>\n\
         <label for=\"password\">New password</label>\n<input id=\"password\" name=\"password\" type=\"password\" \
         autocomplete=\"new-password\" required aria-describedby=\"rules{}\"{}{}>\n\
         <label for=\"again\">Repeat the new password</label>\n<input id=\"again\" name=\"again\" type=\"password\" \
         autocomplete=\"new-password\" required>\n{SHOW}",
        if is_wrong { " problem" } else { "" },
        if is_wrong { " aria-invalid=\"true\"" } else { "" },
        autofocus(has_focus),
    )
}

fn rule_html(rule: &Rule, is_judged: bool) -> String {
    let text = rule.text;
    match (is_judged, rule.is_met) {
        (true, true) => format!("<li class=\"kept\">{text}</li>"),
        (true, false) => format!("<li class=\"missing\">{text} <strong>(missing)</strong></li>"),
        (false, _) => format!("<li>{text}</li>"),
    }
}
