//! What is known goes out within the page, so that the first frame waits for no question and no answer.

use aispace_app::Wallet;
use std::borrow::Cow;
use tauri::{
    AppHandle, Manager,
    http::{Request, Response, header::CONTENT_TYPE},
};

type Page = Response<Cow<'static, [u8]>>;

/// Before this; the built page has it once, as its end.
const END: &str = "</body>";

/// Puts the present view into every page that the window is given; `ui/src/first/known.ts` reads it. Other files go out as they are.
pub(crate) fn put_into_pages(app: &AppHandle) -> impl Fn(Request<Vec<u8>>, &mut Page) + Send + Sync + 'static {
    let app = app.clone();
    move |_, response| {
        if let Some(wallet) = app.try_state::<Wallet>()
            && is_page(response)
            && let Ok(view) = serde_json::to_string(&wallet.view())
            && let Some(page) = with_view(response.body(), &view)
        {
            *response.body_mut() = Cow::Owned(page);
        }
    }
}

fn is_page(response: &Page) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// The page with the view as data that is never run; nothing where the page has no end to put it before.
fn with_view(page: &[u8], view: &str) -> Option<Vec<u8>> {
    let (before, after) = std::str::from_utf8(page).ok()?.rsplit_once(END)?;
    // In JSON `<` stands in strings only, and without it nothing in them ends the element.
    let view = view.replace('<', "\\u003c");
    Some(format!("{before}<script type=\"application/json\" id=\"known\">{view}</script>{END}{after}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_known_ends_the_element_it_is_in() {
        let named = serde_json::json!({ "label": "</script><img src=x> <!--" });
        let page = with_view(b"<body class=\"app\"></body>\n</html>", &named.to_string()).unwrap();
        let page = String::from_utf8(page).unwrap();
        let inside = page.strip_prefix("<body class=\"app\"><script type=\"application/json\" id=\"known\">").unwrap();
        let inside = inside.strip_suffix("</script></body>\n</html>").unwrap();
        assert!(!inside.contains('<'));
        assert_eq!(serde_json::from_str::<serde_json::Value>(inside).unwrap(), named);
    }

    #[test]
    fn only_a_page_is_changed() {
        let of = |kind: &str| Response::builder().header(CONTENT_TYPE, kind).body(Cow::Borrowed(&b""[..])).unwrap();
        assert!(is_page(&of("text/html")) && !is_page(&of("text/javascript")) && !is_page(&Response::new(Cow::Borrowed(&b""[..]))));
        assert!(with_view(b"no end", "{}").is_none() && with_view(b"\xff</body>", "{}").is_none());
    }
}
