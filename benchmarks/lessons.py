"""How long a figure of a lesson takes to draw anew when a control moves: the first time, and the median of moves."""

import statistics
import time

from simtrial.lessons import bias as lesson_bias
from simtrial.lessons import dropout as lesson_dropout
from simtrial.lessons import live
from simtrial.lessons import more_looks as lesson_more_looks
from simtrial.lessons import one_sample as lesson_one_sample
from simtrial.lessons import one_trial as lesson_one_trial
from simtrial.lessons import prior as lesson_prior
from simtrial.lessons import two_endpoints as lesson_two_endpoints
from simtrial.lessons import two_stages as lesson_two_stages

MOVES = 7


def rates(k):
    """p1 a step higher with each move."""
    return 0.1, round(0.3 + 0.01 * k, 2)


FIGURES = {
    "one_sample_exact: one test": lambda k: lesson_one_sample.one_test(25 + k, (0.1, 0.3), 0.05),
    "one_sample_exact: saw-tooth": lambda k: lesson_one_sample.saw(rates(k), 0.05, 0.8),
    "one_sample_exact: 1,000 trials of each n": lambda k: lesson_one_sample.simulated(rates(k), 0.05, 0.8, 1000, 1),
    "why_two_stages: three designs": lambda k: lesson_two_stages.cost(rates(k), 0.05, 0.8),
    "why_two_stages: hull": lambda k: lesson_two_stages.hull(rates(k), 0.05, 0.8, 0.5),
    "why_two_stages: hull, p0 and p1 0.1 apart": lambda k: lesson_two_stages.hull(
        (0.4 + k / 100, 0.5 + k / 100), 0.025, 0.9, 0.5
    ),
    "why_two_stages: 1,000 trials": lambda k: lesson_two_stages.simulated(rates(k), 0.05, 0.8, 1000, 1),
    "why_look_more_often: patients saved": lambda k: lesson_more_looks.saved(rates(k), 0.05, 0.8),
    "why_look_more_often: number of looks": lambda k: lesson_more_looks.number(rates(k), 0.05, 0.8, "p0"),
    "why_look_more_often: all rates": lambda k: lesson_more_looks.curves((0.2, round(0.4 + 0.01 * k, 2)), 0.05, 0.8),
    "why_look_more_often: 1,000 trials": lambda k: lesson_more_looks.simulated(0.1 + k / 100, 2.0, 1000, 1),
    "what_a_prior_does: prior and posterior": lambda k: lesson_prior.learnt(0.4, 20, 3 + k, 0.2),
    "what_a_prior_does: three priors": lambda k: lesson_prior.opinions(10 + k, (0.2, 0.4)),
    "what_a_prior_does: sharper prior": lambda k: lesson_prior.sharpened(10 + k),
    "what_a_prior_does: back under alpha": lambda k: lesson_prior.mended(10 + k, 0.985),
    "what_a_prior_does: 1,000 trials": lambda k: lesson_prior.judged(0.2 + k / 100, 20, 1000, 1),
    "two_endpoints_one_trial: the price": lambda k: lesson_two_endpoints.price(
        (0.2 + k / 100, 0.4), 0.05, "pocock", 1.0
    ),
    "two_endpoints_one_trial: by hand": lambda k: lesson_two_endpoints.by_hand(3, 4, 7, 9, 0.2 + k / 100, 1000, 1),
    "two_endpoints_one_trial: two shapes": lambda k: lesson_two_endpoints.shapes((0.2 + k / 100, 0.4), 0.05),
    "two_endpoints_one_trial: two tests": lambda k: lesson_two_endpoints.tested((0.2 + k / 100, 0.4), 0.1),
    "play_one_trial: a month": lambda k: lesson_one_trial.course(10 + k / 4, 0.3, 1, 1),
    "play_one_trial: cloud": lambda k: lesson_one_trial.cloud(100 + 50 * k, 1),
    "biased_after_stopping: bias": lambda k: lesson_bias.bias(rates(k), "optimal"),
    "biased_after_stopping: endings": lambda k: lesson_bias.why((0.1, 0.3), "optimal", 0.2 + k / 100),
    "biased_after_stopping: 1,000 trials": lambda k: lesson_bias.simulated(rates(k), "optimal", 1000, 1),
    "biased_after_stopping: estimates": lambda k: lesson_bias.cure(rates(k), "optimal"),
    "what_dropout_does: errors": lambda k: lesson_dropout.errors(0.1 + k / 100, 1.0),
    "what_dropout_does: rates": lambda k: lesson_dropout.estimand(0.1 + k / 100, 1.0, 0.3, 1000, 1),
    "what_dropout_does: 1,000 trials": lambda k: lesson_dropout.simulated(0.1 + k / 100, 1.0, 1000, 1),
}


def main():
    """Print a table."""
    print("\nA control moves (ms)")
    print(f"{'figure':44s} {'first':>8s} {'then':>8s}")
    for name, draw in FIGURES.items():
        frame, taken = live.Frame(), []
        for k in range(MOVES):
            began = time.perf_counter()
            frame.hang(draw(k))
            taken.append(1000 * (time.perf_counter() - began))
        print(f"{name:44s} {taken[0]:8.0f} {statistics.median(taken[1:]):8.0f}")


if __name__ == "__main__":
    main()
