//! No history horizon: what a round costs when there is nothing to do, after one day and after years.

use simulation::bill;

#[test]
fn a_round_of_a_process_that_knows_the_dataset_costs_the_same_after_a_year() {
    let (first, year) = (bill(2, 2), bill(365, 2));
    assert_eq!(first.warm.calls(), year.warm.calls(), "{first:?} {year:?}");
    assert_eq!(first.warm.gets, year.warm.gets);
}

#[test]
fn a_new_process_reads_each_batch_once() {
    let (few, many) = (bill(10, 2), bill(110, 2));
    assert_eq!(many.cold.gets - few.cold.gets, 100, "{few:?} {many:?}");
    assert_eq!(many.cold.lists, few.cold.lists);
    assert_eq!(many.cold.writes, 0);
}

#[test]
fn rounds_of_the_other_functions_list_and_read_nothing() {
    let year = bill(365, 2);
    for (what, cost) in year.rows().into_iter().skip(2) {
        assert_eq!((cost.gets, cost.writes), (0, 0), "{what}: {cost:?}");
        assert!(cost.lists < 10, "{what}: {cost:?}");
    }
}
