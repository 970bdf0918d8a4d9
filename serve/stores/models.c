/* models: the models that a server answers from, and the two stores they come from. */
#include "serve/stores/models.h"

int tv_models_reachable(const struct tv_models *models)
{
    return tv_breaker_is_up(models->mongo_breaker) && tv_breaker_is_up(models->redis_breaker);
}
