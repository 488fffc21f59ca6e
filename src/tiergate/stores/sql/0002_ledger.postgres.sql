-- The compact trail of the call: what was decided on the way, as in `x-tiergate-why`.
ALTER TABLE tiergate_ledger ADD COLUMN why TEXT NOT NULL DEFAULT '';
