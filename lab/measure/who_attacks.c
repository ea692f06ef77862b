#include "measure/who_attacks.h"

#include "measure/kpis.h"
#include "outside.h"
#include "workloads/adversary.h"

bool is_attacker(const struct lab *lab, uint32_t validator)
{
	bool attacks = false;
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		attacks = attacks || lab->attacking.attackers[a][validator];
	}
	return attacks;
}

static double at_reach(const struct measured *run)
{
	const struct adversary *adversary = run->lab->outside->adversary;
	return adversary == NULL ? real_nan() : adversary->at_reach(adversary);
}

static double attackers(const struct measured *run)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < run->n_validators; i++) {
		n += is_attacker(run->lab, i);
	}
	return n;
}

static double steps_refused(const struct measured *run)
{
	return (double)run->lab->world.n_steps_refused;
}

const struct kpi_table step_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "steps_refused",
			.label = "steps refused",
			.sort = SORT_COUNT,
			.value = steps_refused,
			.help = "steps of the scenario that a validator could not take just then"},
		{0}},
};

const struct kpi_table attacker_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "at_reach",
			.label = "lies at the end of their reach",
			.sort = SORT_SHARE,
			.value = at_reach,
			.help = "`adaptive`: share of its lies that are as far out as its reach lets it go"},
		{.name = "attackers",
			.label = "attackers",
			.sort = SORT_COUNT,
			.value = attackers,
			.help = "validators under any attack, at its full strength and whenever it is on"},
		{0}},
};
