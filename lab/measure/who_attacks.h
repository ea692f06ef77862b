/* Who attacks, for counts and rows. */
#ifndef LAB_WHO_ATTACKS_H
#define LAB_WHO_ATTACKS_H

#include <stdbool.h>
#include <stdint.h>

struct lab;

/* Is the validator under any attack, at its full strength and whenever it is on? */
bool is_attacker(const struct lab *lab, uint32_t validator);

#endif
