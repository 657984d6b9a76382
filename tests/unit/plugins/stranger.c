/* A module that needs what nobody has. */
int nnm_nobody_has_this(void);
extern const int Kernel;
const int Kernel = 1;
__attribute__((visibility("default"))) int use(void);
int use(void)
{
    return nnm_nobody_has_this();
}
