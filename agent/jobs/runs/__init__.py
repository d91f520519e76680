"""The folder of a run: what a lab keeps of a job, readable without the agent."""
