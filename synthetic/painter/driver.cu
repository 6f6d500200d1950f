/* The C driver's walk, one thread per pixel; blockIdx.z is the picture. Rows: P (pictures, parameters), eyes (, 3),
 * views (, 6); outputs planar per picture: energy, mirror, albedo (3, h, w), part (h, w), -1 = nothing. */
enum { SKIN, EYES, HAIR, CLOTHES, GLASSES, COVER, THINGS, RING };

static __device__ float scene(const float *P, float x, float y, float z, int fine, int *part) {
  float d, other;
  int nearest = SKIN;
  if (fine) fine_skin(P, x, y, z, &d); else dist_skin(P, x, y, z, &d);
#define NEARER(code) if (other < d) { d = other; nearest = code; }
#define ADD(kernel, code) { if (fine) fine_##kernel(P, x, y, z, &other); else dist_##kernel(P, x, y, z, &other); NEARER(code) }
  ADD(eyes, EYES)
  if (P[P_H_OFF] < .5f && P[P_COVER] < .5f) ADD(hair, HAIR)
  if (y < -.2f) ADD(clothes, CLOTHES)
  else { other = y + .7f; NEARER(CLOTHES) }
  if (P[P_G_ON] > .5f || P[P_SHADES] > .5f) ADD(glasses, GLASSES)
  if (P[P_COVER] > .5f) ADD(cover, COVER)
  if (P[P_AID] > .5f && P[P_COVER] < .5f) ADD(aid, THINGS)
  if (P[P_RING_ON] > .5f && P[P_COVER] < .5f) ADD(ring, RING)
  if (part) *part = nearest;
  return d;
}

static __device__ float soft_shadow(const float *P, float x, float y, float z, float nx, float ny, float nz, int steps) {
  float lx = P[P_KLX], ly = P[P_KLY], lz = P[P_KLZ], t = .03f, res = 1.f;
  if (nx * lx + ny * ly + nz * lz <= -.45f) return 0.f;
  for (int k = 0; k < steps; k++) {
    float px = x + nx * .03f + lx * t, py = y + ny * .03f + ly * t, pz = z + nz * .03f + lz * t;
    float h = scene(P, px, py, pz, 0, 0);
    res = fminf(res, 6.f * h / t);
    t += fminf(fmaxf(h, .03f), .40f);
    if (res <= .01f || t >= 2.6f || (lz > 0 && pz > 1.30f) || (ly > 0 && py > 1.85f)) break;
  }
  res = fminf(fmaxf(res, 0.f), 1.f);
  return res * res * (3 - 2 * res);
}

static __global__ void paint_pixels(const float *parameters, const float *eyes, const float *views, int count, int width,
                                    int height, float *energy, float *mirror, float *albedo, signed char *part,
                                    int steps, int shadow_steps) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, j = blockIdx.y * blockDim.y + threadIdx.y, picture = blockIdx.z;
  if (i >= width || j >= height) return;
  const float *P = parameters + (size_t)picture * count, *eye = eyes + picture * 3, *view = views + picture * 6;
  size_t total = (size_t)width * height, pixel = (size_t)j * width + i, base = picture * 3 * total + pixel;
  float a = i + .5f, b = j + .5f;
  float dx = view[0] * a + view[1] * b + view[2], dy = view[3] * a + view[4] * b + view[5];
  float l = rsqrtf(dx * dx + dy * dy + 1), dz = -l;
  dx *= l; dy *= l;
  float t = eye[2] - 1.75f, far = eye[2] + 1.4f, d = 1e9f, x, y, z;
  int hit = 0;
  for (int k = 0; k < steps && t < far; k++) {
    x = eye[0] + dx * t; y = eye[1] + dy * t; z = eye[2] + dz * t;
    d = scene(P, x, y, z, 0, 0);
    if (d < .002f || (k == steps - 1 && d < .03f)) { hit = 1; break; }
    t += d * .80f;
  }
  for (int c = 0; c < 3; c++) energy[base + c * total] = mirror[base + c * total] = albedo[base + c * total] = 0;
  part[picture * total + pixel] = -1;
  if (!hit) return;
  const float e = .005f, h[4] = {.05f, .12f, .26f, .5f}, weight[4] = {2.f, 1.2f, .70f, .32f};
  const float sign[4][3] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}};
  float nx = 0, ny = 0, nz = 0, occluded = 0, o[9];
  for (int k = 0; k < 4; k++) {
    d = scene(P, x + sign[k][0] * e, y + sign[k][1] * e, z + sign[k][2] * e, 1, 0);
    nx += sign[k][0] * d; ny += sign[k][1] * d; nz += sign[k][2] * d;
  }
  l = rsqrtf(nx * nx + ny * ny + nz * nz + 1e-14f);
  nx *= l; ny *= l; nz *= l;
  float shadow = soft_shadow(P, x, y, z, nx, ny, nz, shadow_steps);
  for (int k = 0; k < 4; k++) occluded += weight[k] * fmaxf(h[k] - scene(P, x + nx * h[k], y + ny * h[k], z + nz * h[k], 0, 0), 0.f);
  int which;
  scene(P, x, y, z, 0, &which);
#define LIT P, x, y, z, nx, ny, nz, -dx, -dy, -dz, shadow, power_e(-1.1f * occluded), o, o + 1, o + 2, o + 3, o + 4, o + 5, o + 6, o + 7, o + 8
  switch (which) {
    case SKIN: paint_skin(LIT); break;
    case EYES: paint_eyes(LIT); break;
    case HAIR: paint_hair(LIT); break;
    case CLOTHES: paint_clothes(LIT); break;
    case GLASSES: paint_glasses(LIT); break;
    case COVER: paint_cover(LIT); break;
    case THINGS: paint_aid(LIT); break;
    default: paint_ring(LIT);
  }
  part[picture * total + pixel] = (signed char)(which > THINGS ? THINGS : which);
  for (int c = 0; c < 3; c++) {
    energy[base + c * total] = o[c]; mirror[base + c * total] = o[3 + c]; albedo[base + c * total] = o[6 + c];
  }
}

/* All pointers are device memory. Returns cudaGetLastError(). */
extern "C" int paint_batch(const float *parameters, const float *eyes, const float *views, int pictures, int count,
                           int width, int height, float *energy, float *mirror, float *albedo, signed char *part,
                           int steps, int shadow_steps) {
  dim3 block(8, 8), grid((width + 7) / 8, (height + 7) / 8, pictures);
  paint_pixels<<<grid, block>>>(parameters, eyes, views, count, width, height, energy, mirror, albedo, part, steps,
                                shadow_steps);
  return (int)cudaGetLastError();
}
