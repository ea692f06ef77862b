#include "raft.h"
int main(void)
{
	return 0;
}
