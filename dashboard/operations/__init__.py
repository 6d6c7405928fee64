"""Operations: kinds made of idempotent steps, run durably and one at a time per environment."""
