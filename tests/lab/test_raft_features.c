#include "study.h"
int main(void){return 0;}
