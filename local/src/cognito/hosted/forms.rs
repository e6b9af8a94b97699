//! The forms of the hosted sign-in as HTML: one column, the keyboard's order, what is wrong said above and tied to the
//! field it is about.

use axum::http::StatusCode;
use axum::response::Response;

use crate::page::{escape, form_page};

/// A form's own parts; the rest is the same for all.
pub(super) struct Form<'a> {
    pub(super) title: &'a str,
    pub(super) intro: &'a str,
    /// Above the form: what went wrong.
    pub(super) problem: Option<&'a str>,
    /// Above the form: what went well.
    pub(super) note: Option<&'a str>,
    pub(super) action: &'a str,
    /// HTML.
    pub(super) fields: String,
    pub(super) button: &'a str,
    /// Below the form, HTML.
    pub(super) after: String,
}

pub(super) fn shown(status: StatusCode, form: &Form<'_>) -> Response {
    let problem = form.problem.map(|text| {
        format!(
            "<p role=\"alert\" id=\"problem\" class=\"bad\">{}</p>\n",
            escape(text)
        )
    });
    let note = form
        .note
        .map(|text| format!("<p role=\"status\" class=\"good\">{}</p>\n", escape(text)));
    let main = format!(
        "<div class=\"card\">\n<h1>{}</h1>\n<p class=\"soft\">{}</p>\n{}{}<form method=\"post\" action=\"{}\">\n{}\
         <button type=\"submit\">{}</button>\n</form>\n{}\n</div>",
        escape(form.title),
        escape(form.intro),
        problem.unwrap_or_default(),
        note.unwrap_or_default(),
        escape(form.action),
        form.fields,
        escape(form.button),
        form.after,
    );
    form_page(status, form.title, &main)
}

/// Ties a field to the text above the form.
fn described(wrong: bool) -> &'static str {
    if wrong {
        " aria-invalid=\"true\" aria-describedby=\"problem\""
    } else {
        ""
    }
}

fn focused(focus: bool) -> &'static str {
    if focus { " autofocus" } else { "" }
}

pub(super) fn address(value: &str, wrong: bool, focus: bool) -> String {
    format!(
        "<label for=\"username\">E-mail address</label>\n<input id=\"username\" name=\"username\" type=\"email\" \
         autocomplete=\"username\" required value=\"{}\"{}{}>\n",
        escape(value),
        described(wrong),
        focused(focus),
    )
}

pub(super) fn password(wrong: bool, focus: bool) -> String {
    format!(
        "<label for=\"password\">Password</label>\n<input id=\"password\" name=\"password\" type=\"password\" \
         autocomplete=\"current-password\" required{}{}>\n{SHOW}",
        described(wrong),
        focused(focus),
    )
}

/// Without a script there is nothing to tick.
const SHOW: &str =
    "<label class=\"show\" hidden><input type=\"checkbox\" id=\"show\"> Show password</label>\n";

pub(super) fn hidden(name: &str, value: &str) -> String {
    format!(
        "<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n",
        escape(value)
    )
}

/// Whose password it is: for the reader and the browser's password manager, and nothing to type.
pub(super) fn known_address(value: &str) -> String {
    format!(
        "<label for=\"username\">E-mail address</label>\n<input id=\"username\" type=\"email\" autocomplete=\"username\" \
         readonly tabindex=\"-1\" name=\"username\" value=\"{}\">\n",
        escape(value),
    )
}

pub(super) fn code(value: &str, wrong: bool) -> String {
    format!(
        "<label for=\"code\">Code from the e-mail</label>\n<input id=\"code\" name=\"code\" inputmode=\"numeric\" \
         autocomplete=\"one-time-code\" maxlength=\"12\" required value=\"{}\"{}{}>\n",
        escape(value),
        described(wrong),
        focused(wrong || value.is_empty()),
    )
}

/// A new password, twice, under the rules it has to keep; each with whether the last try kept it.
pub(super) fn new_password(rules: &[(String, bool)], tried: bool, wrong: bool, focus: bool) -> String {
    let rules: String = rules
        .iter()
        .map(|(rule, kept)| match (tried, kept) {
            (true, true) => format!("<li class=\"kept\">{}</li>", escape(rule)),
            (true, false) => format!(
                "<li class=\"missing\">{} <strong>(missing)</strong></li>",
                escape(rule)
            ),
            (false, _) => format!("<li>{}</li>", escape(rule)),
        })
        .collect();
    format!(
        "<div id=\"rules\"><p class=\"soft\">A password has</p><ul class=\"rules\">{rules}</ul></div>\n\
         <label for=\"password\">New password</label>\n<input id=\"password\" name=\"password\" type=\"password\" \
         autocomplete=\"new-password\" required aria-describedby=\"rules{}\"{}{}>\n\
         <label for=\"again\">The same again</label>\n<input id=\"again\" name=\"again\" type=\"password\" \
         autocomplete=\"new-password\" required>\n{SHOW}",
        if wrong { " problem" } else { "" },
        if wrong { " aria-invalid=\"true\"" } else { "" },
        focused(focus),
    )
}
