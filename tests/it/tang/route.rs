//! Paths, methods, prefixes and tokens.

use panopol::tang::route::MAX_TARGET;
use panopol::tang::*;

#[test]
fn paths_are_matched_as_tang_matches_them() {
    let root = Prefix::default();
    let get = |target| route(&root, "GET", target);
    for target in ["/adv", "/adv/", "/adv//", "//adv", "///adv///"] {
        assert_eq!(get(target), Ok(Route::Advertise(None)), "{target}");
    }
    for target in ["/adv/a-_Z9", "/adv//a-_Z9", "//adv///a-_Z9"] {
        assert_eq!(get(target), Ok(Route::Advertise(Some("a-_Z9"))), "{target}");
    }
    for target in [
        "",
        "/",
        "adv",
        "/adv/a/",
        "/adv/a.b",
        "/adv?x",
        "/adv/?x",
        "/advx",
        "/Adv",
        "/%61dv",
        "/adv/a/b",
        "/rec",
        "/rec/",
        "/rec/a/",
        "http://h/adv",
    ] {
        assert_eq!(get(target), Err(RouteStatus::NotFound), "{target}");
    }
    assert_eq!(
        route(&root, "POST", "//rec//kid"),
        Ok(Route::Recover("kid"))
    );
    for (method, target) in [
        ("POST", "/adv"),
        ("HEAD", "/adv"),
        ("POST", "/adv/a"),
        ("GET", "/rec/a"),
        ("get", "/adv"),
    ] {
        assert_eq!(
            route(&root, method, target),
            Err(RouteStatus::MethodNotAllowed),
            "{method} {target}"
        );
    }
}

#[test]
fn a_prefix_stands_before_every_path() {
    let prefix = Prefix::parse("//tang/site-1/").unwrap();
    assert_eq!(
        route(&prefix, "GET", "/tang/site-1/adv"),
        Ok(Route::Advertise(None))
    );
    assert_eq!(
        route(&prefix, "GET", "//tang//site-1///adv//a"),
        Ok(Route::Advertise(Some("a")))
    );
    for target in [
        "/adv",
        "/tang/adv",
        "/tang/site-1",
        "/tang/site-12/adv",
        "/tangsite-1/adv",
        "/tang/site-1adv",
    ] {
        assert_eq!(
            route(&prefix, "GET", target),
            Err(RouteStatus::NotFound),
            "{target}"
        );
    }
    assert_eq!(Prefix::parse("/"), Ok(Prefix::default()));
    for bad in ["/a b", "/..", "/a/./b", "/ü", "/a?b", "/a%2fb"] {
        assert!(Prefix::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_binding_is_named_by_its_token() {
    assert_eq!(
        route_binding("GET", "/u/t0-_K/adv"),
        Ok(("t0-_K", Route::Advertise(None)))
    );
    assert_eq!(
        route_binding("GET", "//u//t0//adv/"),
        Ok(("t0", Route::Advertise(None)))
    );
    assert_eq!(
        route_binding("POST", "/u/t0/rec/kid"),
        Ok(("t0", Route::Recover("kid")))
    );
    assert_eq!(
        route_binding("GET", "/u/t0/rec/kid"),
        Err(RouteStatus::MethodNotAllowed)
    );
    for target in [
        "/u",
        "/u/",
        "/u/t0",
        "/u/t0/",
        "/u//adv",
        "/u/t.0/adv",
        "/ut0/adv",
        "/u/t0adv",
        "/adv",
        "/v/t0/adv",
        "u/t0/adv",
    ] {
        assert_eq!(
            route_binding("GET", target),
            Err(RouteStatus::NotFound),
            "{target}"
        );
    }
}

#[test]
fn a_target_over_4_kib_is_too_long_whatever_it_asks() {
    let target = |len: usize| format!("/adv{}", "/".repeat(len - 4));
    assert_eq!(
        route(&Prefix::default(), "GET", &target(MAX_TARGET)),
        Ok(Route::Advertise(None))
    );
    let long = target(MAX_TARGET + 1);
    assert_eq!(
        route(&Prefix::default(), "PUT", &long),
        Err(RouteStatus::TargetTooLong)
    );
    assert_eq!(route_binding("PUT", &long), Err(RouteStatus::TargetTooLong));
    let statuses = [
        RouteStatus::TargetTooLong,
        RouteStatus::NotFound,
        RouteStatus::MethodNotAllowed,
    ];
    assert_eq!(statuses.map(RouteStatus::status), [414, 404, 405]);
}
