from mcphub_server.line_budget import LINES, WINDOW_SECONDS, LineBudget


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_few_lines_of_each_kind_pass():
    budget = LineBudget(Clock())

    taken = [budget.take("a") for _ in range(LINES + 3)]

    assert taken == [0] * LINES + [None] * 3
    assert budget.take("b") == 0


def test_what_was_held_back_is_told_later():
    clock = Clock()
    budget = LineBudget(clock)
    for _ in range(LINES + 3):
        budget.take("a")

    clock.now = WINDOW_SECONDS

    assert [budget.take("a"), budget.take("a")] == [3, 0]
