"""Journals to verdict: one pure decision, from which everything a person or a machine reads is rendered.

What a run left           contents, bundle (an archive of it), records, journals (-> Run)
One test, one cell        fold (reports -> state), standing (many attempts -> state), cells
The verdict               waiving, rules, context (dates, gaps), decide; model is what comes out, serial its bytes
Whose runs                recompute (folders -> verdict), merge (many testers)
After the verdict         diff, decision, attestation (statement, envelope, signing, pinned_key)
Beside it                 controls: which checks have been seen to fail
"""
