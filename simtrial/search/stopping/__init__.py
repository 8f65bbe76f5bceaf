"""The search for the best stopping bounds on given looks: backward induction, local search, branch and bound."""
