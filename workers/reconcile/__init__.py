"""The shell around every plan: catch the view up, call the plan, commit, requeue, back off."""
