/* What fills the tables that are written when a run has ended. */
#ifndef LAB_TABLES_H
#define LAB_TABLES_H

struct lab;

void decisions_table(struct lab *lab);
void validators_table(struct lab *lab);
void series_table(struct lab *lab);
void violations_table(struct lab *lab);

#endif
