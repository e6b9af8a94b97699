//! No history horizon: what a round costs when there is nothing to do, after one day and after years.

use simulation::bill;

#[test]
fn a_round_of_a_process_that_knows_the_dataset_costs_the_same_after_a_year() {
    let (first, year) = (bill(2, 2), bill(365, 2));
    assert_eq!(first.warm.calls(), year.warm.calls(), "{first:?} {year:?}");
    assert_eq!(first.warm.gets, year.warm.gets);
}

#[test]
fn a_new_process_reads_what_another_wrote_down_and_no_more_batches_after_a_year() {
    let (first, year) = (bill(7, 2), bill(367, 2));
    // Seven batches and nothing written down; then as many after the last time it was.
    assert_eq!(year.cold.gets - first.cold.gets, 1, "{first:?} {year:?}");
    assert_eq!((first.cold.writes, year.cold.writes), (0, 0));
}

#[test]
fn rounds_of_the_other_functions_list_and_read_nothing() {
    let year = bill(365, 2);
    for (what, cost) in year.rows().into_iter().skip(2) {
        assert_eq!((cost.gets, cost.writes), (0, 0), "{what}: {cost:?}");
        assert!(cost.lists < 10, "{what}: {cost:?}");
    }
}
